import type { Clock } from '../lib/clock.ts'
import type { AuditEntry } from './record.ts'

const MINUTE_MS = 60_000
const MOST_KEPT = 10_000

/**
 * Of equal reads by one person, only the first in a minute is recorded by itself; this counts the rest and gives them
 * back as one entry when the minute is over.
 */
export class ReadCounter {
  readonly #clock: Clock
  readonly #whenOver: (entry: AuditEntry) => void
  readonly #minutes = new Map<string, { entry: AuditEntry; more: number; cancel: () => void }>()

  constructor(clock: Clock, whenOver: (entry: AuditEntry) => void) {
    this.#clock = clock
    this.#whenOver = whenOver
  }

  /** Whether it is the first of its minute, so that it has to be recorded by itself. */
  isFirst(entry: AuditEntry): boolean {
    const key = keyOf(entry)
    const minute = this.#minutes.get(key)
    if (minute !== undefined) {
      minute.entry = entry
      minute.more += 1
      return false
    }
    // Rather more lines than no memory.
    if (this.#minutes.size < MOST_KEPT) {
      const cancel = this.#clock.after(MINUTE_MS, () => this.#end(key))
      this.#minutes.set(key, { entry, more: 0, cancel })
    }
    return true
  }

  /** The first was not recorded after all: the next equal read is the first again. */
  forget(entry: AuditEntry): void {
    const key = keyOf(entry)
    this.#minutes.get(key)?.cancel()
    this.#minutes.delete(key)
  }

  /** Gives back what was counted, before the minutes are over. */
  flush(): void {
    for (const key of this.#minutes.keys()) this.#end(key)
  }

  #end(key: string): void {
    const minute = this.#minutes.get(key)
    if (minute === undefined) return
    minute.cancel()
    this.#minutes.delete(key)
    const { entry, more } = minute
    if (more > 0) this.#whenOver({ ...entry, req: entry.req === null ? null : { ...entry.req, count: more } })
  }
}

/** Reads of the same route and object in the same cluster by the same person in the same session are equal. */
function keyOf({ actor, action, cluster, object, req }: AuditEntry): string {
  return JSON.stringify([actor?.iss, actor?.sub, actor?.session, action, cluster, object, req?.method, req?.route])
}
