import type { AlertSinkName } from '@malleus/shared/api/alerts.ts'
import type { AlertMessage } from './alert-message.ts'

/** Somebody outside who is told of alerts. */
export interface AlertSink {
  readonly name: AlertSinkName
  /** Where it is, without what may be secret of it. */
  readonly to: string
  /**
   * Resolves with what the other side said once it has the message, within half a minute.
   *
   * @throws DeliveryFailed with a sentence that says why it does not have it, as far as can be known.
   */
  deliver(message: AlertMessage): Promise<string>
  close(): Promise<void>
}

/** The other side does not have the message, or did not say that it does. The message is a sentence for administrators. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed'
}
