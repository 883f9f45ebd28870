import type { Pin } from '../clusters/trust.ts'

/** Pins that the console followed by itself, kept beyond the life of the process. */
export interface PinStore {
  /** Null when there are none, or when the configured ones are others than they were when these were followed. */
  read(cluster: string, configured: string): Promise<readonly Pin[] | null>
  write(cluster: string, configured: string, pins: readonly Pin[], at: number): Promise<void>
}
