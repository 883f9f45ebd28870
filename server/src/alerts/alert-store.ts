import type { RaisedAlert } from './expiry.ts'

/** Keeps which alerts were raised and who has them, so that a new start neither repeats nor loses one. */
export interface AlertStore {
  all(): Promise<readonly RaisedAlert[]>
  /** Durable when it resolves. */
  raise(alerts: readonly RaisedAlert[]): Promise<void>
  /** A sink has them. */
  take(sink: string, alerts: readonly Pick<RaisedAlert, 'key' | 'threshold'>[]): Promise<void>
  /** Forgets all of these certificates. */
  settle(keys: readonly string[]): Promise<void>
}
