import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { echoWithinMs, incusEcho, isEchoOf } from '@malleus/shared/domain/incus-echo.ts'
import { unconfirmed } from '@malleus/shared/domain/join-records.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { auditEntry } from '../audit/record.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

export interface ConfirmationsOptions {
  readonly history: Pick<AuditLog, 'record'>
  /** Whether the events of a cluster are followed at all: else none can be missed. */
  readonly isFollowed: (cluster: string) => boolean
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Waits for the event in which Incus tells of what was done through this console. When it is not there half a minute
 * after it was done, that is a record of its own, since records never change.
 */
export class Confirmations {
  readonly #options: ConfirmationsOptions
  readonly #waits = new Set<() => void>()
  /** Incus may tell before its answer is recorded. */
  #events: { readonly record: AuditRecord; readonly at: number }[] = []

  constructor(options: ConfirmationsOptions) {
    this.#options = options
  }

  /** Every record that is durable, in order. */
  hear(record: AuditRecord): void {
    const { clock, isFollowed } = this.#options
    if (record.source === 'incus') {
      const now = clock.now()
      this.#events = this.#events.filter(({ at }) => now - at <= rememberedMs).slice(-mostRemembered)
      if (!record.action.startsWith('request.')) this.#events.push({ record, at: now })
      return
    }
    if (!wasDone(record) || record.cluster === null || !isFollowed(record.cluster)) return
    const cancel = clock.after(echoWithinMs, () => {
      this.#waits.delete(cancel)
      if (!this.#isConfirmed(record)) this.#flag(record)
    })
    this.#waits.add(cancel)
  }

  stop(): void {
    for (const cancel of this.#waits) cancel()
    this.#waits.clear()
  }

  #isConfirmed(done: AuditRecord): boolean {
    return this.#events.some(
      ({ record }) => record.cluster === done.cluster && record.actor?.protocol !== 'unix' && isEchoOf(record, done),
    )
  }

  #flag({ action, cluster, object, actor, src, req, up }: AuditRecord): void {
    const out = { status: null, op: null, opStatus: null, bytes: null, ms: null, code: unconfirmed }
    const decision = { allow: true, rule: 'Incus did not tell of it within 30 seconds' }
    try {
      this.#options.history.record(auditEntry({ action, cluster, object, actor, src, req, up, decision, out }))
    } catch (error) {
      this.#options.logger.error({ err: error, action }, 'that a change was not confirmed is missing in the history')
    }
  }
}

/** What has an event, and was answered as done, or whose background work succeeded. */
function wasDone({ action, phase, decision, out }: AuditRecord): boolean {
  if (incusEcho(action) === null || phase !== 'outcome' || !decision.allow || out === null) return false
  if (out.code !== null) return false
  if (out.opStatus !== null) return out.opStatus === 'success'
  return out.op === null && out.status !== null && out.status < 300
}

const rememberedMs = 90_000
const mostRemembered = 5_000
