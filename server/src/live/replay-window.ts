import type { LiveEvent } from '@malleus/shared/api/live.ts'

const keptForMs = 5 * 60_000
const keptAtMost = 10_000

export interface NumberedEvent {
  /** `<epoch>-<seq>`: the epoch names this window, so an id of another replica or start is never mistaken for ours. */
  readonly id: string
  readonly event: LiveEvent
}

/** The last events of a channel, numbered without holes, so that a broken stream can be continued exactly. */
export class ReplayWindow {
  readonly #epoch: string
  readonly #events: { readonly seq: number; readonly at: number; readonly event: LiveEvent }[] = []
  #next = 1

  /** `epoch` is unique and has no hyphen. */
  constructor(epoch: string) {
    this.#epoch = epoch
  }

  add(event: LiveEvent, now: number): NumberedEvent {
    const seq = this.#next++
    this.#events.push({ seq, at: now, event })
    const old = this.#events.findIndex(({ at }) => now - at < keptForMs)
    const surplus = this.#events.length - keptAtMost
    this.#events.splice(0, Math.max(old, surplus, 0))
    return { id: this.#id(seq), event }
  }

  /** Every event after the one with that id, in order; null when that cannot be said exactly. */
  after(lastId: string): readonly NumberedEvent[] | null {
    const seq = this.#seqOf(lastId)
    const oldest = this.#events[0]?.seq ?? this.#next
    if (seq === null || seq >= this.#next || seq + 1 < oldest) return null
    return this.#events.filter((kept) => kept.seq > seq).map((kept) => ({ id: this.#id(kept.seq), event: kept.event }))
  }

  /** The id of the newest event: where a stream that starts now stands. */
  get position(): string {
    return this.#id(this.#next - 1)
  }

  #id(seq: number): string {
    return `${this.#epoch}-${seq}`
  }

  #seqOf(id: string): number | null {
    const match = /^([^-]+)-(\d{1,15})$/.exec(id)
    return match?.[1] === this.#epoch ? Number(match[2]) : null
  }
}
