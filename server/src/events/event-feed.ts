import { IncusEvent } from '@malleus/shared/incus/event.ts'
import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { Merged } from './stream-merge.ts'
import { StreamMerge } from './stream-merge.ts'

// One authority's view of everything that happens in a cluster: subscribes to two members at once, since any member
// carries the events of all, removes what both told, and says which time was not listened to. What it means for
// operations, history or pages is left to those who subscribe.

/** An open subscription to one member. */
export interface EventSocket {
  close(): void
  /** Settles, never rejects, when it is over. */
  readonly closed: Promise<{ readonly reason: string }>
}

export interface EventHandlers {
  onEvent(json: unknown): void
  /** Incus pings every 10 s; a ping proves that the member is still there. */
  onPing(): void
}

export interface EventFeedPorts {
  /** Members that may be listened to now, best first. */
  candidates(): readonly string[]
  open(member: string, handlers: EventHandlers, signal: AbortSignal): Promise<EventSocket>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export type FeedFact =
  | { readonly kind: 'event'; readonly event: IncusEvent; readonly at: number }
  /** Events between these instants may be missing. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number; readonly reason: string }

/** Incus pings every 10 s (incus `internal/server/events/events.go`); two missed ones and a half. */
const silentForMs = 25_000
/** How long what one stream brings waits for one that may still bring what came before it. */
const patienceMs = 1_000
const firstRetryMs = 100
const mostRetryMs = 5_000

export class EventFeed extends Subscribable<FeedFact> {
  /** Told when a member begins or ends to be listened to. */
  readonly listening = new Subscribable<void>()
  readonly #ports: EventFeedPorts
  readonly #merge = new StreamMerge()
  readonly #listening = new Map<string, EventSocket>()
  readonly #chosen = new Set<string>()
  /** Members of whose streams something is held back. */
  readonly #waiting = new Set<string>()
  #lastReason = 'the console was not connected'
  #stop: AbortController | null = null

  constructor(ports: EventFeedPorts) {
    super((error) => ports.logger.error({ error }, 'a listener of the event feed failed'))
    this.#ports = ports
  }

  /** Begins to listen; does nothing when it already does. */
  start(): void {
    if (this.#stop !== null) return
    this.#stop = new AbortController()
    // Who asked for this may read before the first stream is open: what happens until then is missed too.
    this.#merge.begin(this.#ports.clock.monotonic())
    void this.#keepListening(this.#stop.signal)
    void this.#keepListening(this.#stop.signal)
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = null
    for (const socket of this.#listening.values()) socket.close()
  }

  /** The members that are listened to now. */
  get members(): readonly string[] {
    return [...this.#listening.keys()]
  }

  /** Since when nobody is listened to, in milliseconds since 1970: what happens from then on is missed. Else null. */
  get deafSince(): number | null {
    const { until } = this.#merge
    return this.#listening.size > 0 || until === null ? null : this.#wallTimeOf(until)
  }

  /** Stops waiting for a member that is known not to answer, and turns to another one. */
  abandon(member: string, reason: string): void {
    const socket = this.#listening.get(member)
    if (socket === undefined) return
    this.#lastReason = reason
    socket.close()
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const member = this.#ports.candidates().find((name) => !this.#chosen.has(name))
      if (member !== undefined) {
        this.#chosen.add(member)
        const listened = await this.#listen(member, signal)
        this.#chosen.delete(member)
        failures = listened ? 0 : failures + 1
        if (listened) continue
      }
      const delayMs = member === undefined ? 1_000 : backoffMs(failures, firstRetryMs, mostRetryMs, this.#ports.random)
      await sleep(this.#ports.clock, delayMs, signal)
    }
  }

  /** Listens to one member until it ends; whether it ever began. */
  async #listen(member: string, signal: AbortSignal): Promise<boolean> {
    const { clock, logger } = this.#ports
    let cancelSilence = () => {}
    const expectFrame = () => {
      // Its first frame may be there before the promise of its opening has run.
      this.#tell(this.#merge.opened(member, clock.monotonic()))
      cancelSilence()
      cancelSilence = clock.after(silentForMs, () => this.abandon(member, `${member} fell silent`))
    }
    try {
      const socket = await this.#ports.open(
        member,
        {
          onEvent: (json) => {
            expectFrame()
            this.#accept(json, member)
          },
          onPing: () => {
            expectFrame()
            this.#merge.alive(member, clock.monotonic())
          },
        },
        signal,
      )
      this.#listening.set(member, socket)
      expectFrame()
      this.listening.publish()
      const { reason } = await socket.closed
      this.#lastReason = `the event stream of ${member} ended: ${reason}`
      logger.info({ member, reason }, 'an event stream ended')
      return true
    } catch (error) {
      logger.debug({ member, error }, 'an event stream could not be opened')
      return false
    } finally {
      cancelSilence()
      const ended = this.#listening.delete(member)
      this.#tell(this.#merge.closed(member))
      if (ended) this.listening.publish()
    }
  }

  #accept(json: unknown, member: string): void {
    const parsed = IncusEvent.safeParse(json)
    if (!parsed.success) {
      this.#ports.logger.debug({ member }, 'an event of a kind that was not asked for was ignored')
      return
    }
    const { clock } = this.#ports
    const at = clock.monotonic()
    const lateMs = clock.now() - Date.parse(parsed.data.timestamp)
    this.#tell(this.#merge.heard(member, parsed.data, at, Number.isNaN(lateMs) ? at : at - lateMs))
    if (this.#merge.behind(member).length > 0) this.#waitForOthers(member)
  }

  /** Whoever has not caught up by then has lost something, or stands still. */
  #waitForOthers(member: string): void {
    if (this.#waiting.has(member)) return
    this.#waiting.add(member)
    this.#ports.clock.after(patienceMs, () => {
      this.#waiting.delete(member)
      for (const slow of this.#merge.behind(member)) this.abandon(slow, `${slow} fell behind`)
    })
  }

  #tell(merged: readonly Merged[]): void {
    for (const fact of merged) {
      if (fact.kind === 'event') this.publish({ ...fact, at: this.#wallTimeOf(fact.at) })
      else {
        const [from, to] = [this.#wallTimeOf(fact.from), this.#wallTimeOf(fact.to)]
        this.publish({ kind: 'gap', from, to, reason: this.#lastReason })
      }
    }
  }

  #wallTimeOf(monotonicMs: number): number {
    const { clock } = this.#ports
    return Math.round(clock.now() - (clock.monotonic() - monotonicMs))
  }
}
