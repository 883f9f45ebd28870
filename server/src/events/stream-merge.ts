import type { IncusEvent } from '@malleus/shared/incus/event.ts'
import { eventKey, SeenEvents } from './seen-events.ts'

// Several streams carry the same events, each in order, without numbers and without a beginning. They are made one: every
// event once and in order, and where one may be missing, that is said.
//
// A stream that is *joined* stands where the whole stands: nothing came before its next event that was not told. A new
// one is joined when it and a joined one have brought the same event. Until then what it brings is held back: a stream
// that lags, because its member was stopped for a moment, may still bring what came before. When the last joined stream
// ends, the oldest of the others takes its place, and the time before it opened is a gap.

export type Merged =
  | { readonly kind: 'event'; readonly event: IncusEvent; readonly at: number }
  /** Events between these instants may be missing. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }

interface Heard {
  readonly key: string
  readonly event: IncusEvent
  readonly at: number
}

interface Stream {
  readonly openedAt: number
  joined: boolean
  held: Heard[]
}

/**
 * Pure but for what it remembers: it knows no clock and no network. Times are milliseconds on a clock that only goes
 * forward: one that is set must neither hide a gap nor let an event be told twice.
 */
export class StreamMerge {
  readonly #streams = new Map<string, Stream>()
  readonly #seen = new SeenEvents()
  /** Until when nothing can have been missed; null before anybody asked. */
  #until: number | null = null

  /** From when on nothing shall be missed; only the first call counts. */
  begin(at: number): void {
    this.#until ??= at
  }

  /** Until when nothing can have been missed; null before anybody asked. */
  get until(): number | null {
    return this.#until
  }

  /** Opening twice is opening once. */
  opened(name: string, at: number): readonly Merged[] {
    if (this.#streams.has(name)) return []
    this.#streams.set(name, { openedAt: at, joined: false, held: [] })
    return this.#settle()
  }

  closed(name: string): readonly Merged[] {
    this.#streams.delete(name)
    return this.#settle()
  }

  /** A ping: the stream was alive at that moment. */
  alive(name: string, at: number): void {
    if (this.#streams.get(name)?.joined === true) this.#reach(at)
  }

  /** What can be told now, in order. `sentAt` is when it happened, as far as can be known. */
  heard(name: string, event: IncusEvent, at: number, sentAt: number): readonly Merged[] {
    const stream = this.#streams.get(name)
    if (stream === undefined) return []
    const heard = { key: eventKey(event), event, at }
    if (!stream.joined) {
      if (this.#seen.has(heard.key)) return this.#join(stream)
      stream.held.push(heard)
      return []
    }
    // Arrived now and sent long ago, it says nothing of what was sent in between.
    this.#reach(Math.min(at, sentAt))
    // Who held it may hold what this one has missed, which comes before it.
    const holders = [...this.#streams.values()].filter(({ held }) => held.some(({ key }) => key === heard.key))
    return [...holders.flatMap((holder) => this.#join(holder)), ...this.#tell([heard]), ...this.#joinThoseWhoHeld()]
  }

  /** The joined streams, as long as this one brought something that none of them has. */
  behind(name: string): readonly string[] {
    const stream = this.#streams.get(name)
    if (stream === undefined || stream.held.length === 0) return []
    return [...this.#streams].filter(([, { joined }]) => joined).map(([joined]) => joined)
  }

  #settle(): readonly Merged[] {
    const streams = [...this.#streams.values()]
    if (streams.some(({ joined }) => joined)) return []
    const oldest = streams.toSorted((a, b) => a.openedAt - b.openedAt)[0]
    if (oldest === undefined) return []
    const { openedAt, held } = oldest
    const until = this.#until ?? openedAt
    const isWhole = until >= openedAt && held.length === 0
    const gap: Merged[] = isWhole ? [] : [{ kind: 'gap', from: Math.min(until, openedAt), to: openedAt }]
    return [...gap, ...this.#join(oldest), ...this.#joinThoseWhoHeld()]
  }

  #join(stream: Stream): readonly Merged[] {
    stream.joined = true
    this.#reach(stream.openedAt)
    return this.#tell(stream.held.splice(0))
  }

  /** What one of them held has been told by now: it stands where the others stand. */
  #joinThoseWhoHeld(): readonly Merged[] {
    return [...this.#streams.values()]
      .filter(({ joined, held }) => !joined && held.some(({ key }) => this.#seen.has(key)))
      .flatMap((stream) => this.#join(stream))
  }

  #tell(all: readonly Heard[]): readonly Merged[] {
    return all.filter(({ key, at }) => this.#seen.isNew(key, at)).map(({ event, at }) => ({ kind: 'event', event, at }))
  }

  #reach(at: number): void {
    this.#until = Math.max(this.#until ?? at, at)
  }
}
