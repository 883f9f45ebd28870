import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { Clock } from '../lib/clock.ts'
import { ReplayWindow } from './replay-window.ts'

/** A connection to one browser tab, as text/event-stream. */
export interface LiveStream {
  send(message: { readonly id?: string; readonly event: string; readonly data: unknown }): void
  close(): void
  /** Settles, never rejects, when the browser has gone or `close` was called. */
  readonly closed: Promise<void>
}

const mostStreams = 40

/** The streams of one person, and the window from which a broken one is continued. */
export class LiveChannel {
  readonly #window: ReplayWindow
  readonly #streams = new Set<LiveStream>()
  readonly #clock: Clock

  constructor(epoch: string, clock: Clock) {
    this.#window = new ReplayWindow(epoch)
    this.#clock = clock
  }

  /** Continues where the last stream broke off, or says `resync` when that cannot be done exactly. */
  join(stream: LiveStream, lastEventId: string | null): void {
    const missed = lastEventId === null ? null : this.#window.after(lastEventId)
    if (missed === null) {
      const reason = lastEventId === null ? 'new stream' : 'too much has happened since'
      write(stream, { kind: 'resync', reason }, this.#window.position)
    }
    for (const { id, event } of missed ?? []) write(stream, event, id)
    this.#letTheOldestGo()
    this.#streams.add(stream)
    void stream.closed.then(() => this.#streams.delete(stream))
  }

  /** Tells every stream, and whoever reconnects in the next five minutes. */
  publish(event: LiveEvent): void {
    const { id } = this.#window.add(event, this.#clock.now())
    for (const stream of this.#streams) write(stream, event, id)
  }

  /** Tells the streams that are open now; for facts that the next one replaces. */
  mention(event: LiveEvent): void {
    for (const stream of this.#streams) write(stream, event)
  }

  end(event: LiveEvent): void {
    for (const stream of this.#streams) {
      write(stream, event)
      stream.close()
    }
  }

  /** A person has five sessions, and a browser six connections: whoever opens more lost the others, or means harm. */
  #letTheOldestGo(): void {
    const [oldest] = this.#streams
    if (oldest === undefined || this.#streams.size < mostStreams) return
    this.#streams.delete(oldest)
    oldest.close()
  }

  /** The id of the last event that was published: where a stream that opens now begins. */
  get position(): string {
    return this.#window.position
  }

  get size(): number {
    return this.#streams.size
  }
}

function write(stream: LiveStream, event: LiveEvent, id?: string): void {
  const { kind, ...data } = event
  stream.send(id === undefined ? { event: kind, data } : { id, event: kind, data })
}
