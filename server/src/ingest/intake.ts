import type { AuditEntry } from '../audit/record.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Clock } from '../lib/clock.ts'

export interface IntakeOptions {
  readonly history: Pick<AuditLog, 'record' | 'outcome' | 'waiting' | 'isAvailable'>
  readonly clock: Clock
  /** What was given up because the history did not take it in time, when that is over. */
  readonly onLost: (lost: { readonly count: number; readonly from: number; readonly to: number }) => void
}

/**
 * A queue of its own before the history, for what clusters tell: a few entries at a time, and only while next to nothing
 * waits there, so that what people do through this console never waits for it and is never refused because of it.
 */
export class Intake {
  readonly #options: IntakeOptions
  #queue: { readonly entry: AuditEntry; readonly at: number }[] = []
  #cancelNext: (() => void) | null = null
  #lost: { count: number; from: number; to: number } | null = null

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** It happened now; it is recorded with this time, whenever that is. */
  put(entry: AuditEntry): void {
    if (this.#queue.length >= mostWaiting) {
      this.#lose()
      return
    }
    this.#queue.push({ entry, at: this.#options.clock.now() })
    this.#plan()
  }

  /** Hands over all that waits, however much it is: the console stops. */
  close(): void {
    this.#cancelNext?.()
    this.#hand(this.#queue.splice(0))
  }

  get waiting(): number {
    return this.#queue.length
  }

  #plan(): void {
    this.#cancelNext ??= this.#options.clock.after(handEveryMs, () => {
      this.#cancelNext = null
      this.#handSome()
      if (this.#queue.length > 0) this.#plan()
    })
  }

  #handSome(): void {
    const { history, onLost } = this.#options
    if (!history.isAvailable || history.waiting > 0) return
    this.#hand(this.#queue.splice(0, atATime))
    if (this.#lost === null || this.#queue.length > 0) return
    const lost = this.#lost
    this.#lost = null
    onLost(lost)
  }

  #hand(entries: readonly { readonly entry: AuditEntry; readonly at: number }[]): void {
    for (const { entry, at } of entries) {
      try {
        // A refusal is an outcome. Those of strangers are counted where they are read, and not once more.
        if (!entry.decision.allow) this.#options.history.outcome(entry, at)
        else this.#options.history.record(entry, at)
      } catch {
        this.#lose()
      }
    }
  }

  #lose(): void {
    const now = this.#options.clock.now()
    this.#lost = { count: (this.#lost?.count ?? 0) + 1, from: this.#lost?.from ?? now, to: now }
  }
}

/** At most a thousand in a second; in between, the history has time for what people do. */
const handEveryMs = 25
/** They share a transaction of the history, which what people do may have to wait for: few milliseconds. */
const atATime = 25
const mostWaiting = 5_000
