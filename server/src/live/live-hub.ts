import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { LiveStream } from './live-channel.ts'
import { LiveChannel } from './live-channel.ts'

// The stream back: every live change goes to the browser through here. What the console itself observes goes to all
// who may see that cluster; what Incus tells goes only to the person with whose authority it was asked for.

/** What somebody may follow. */
export interface LiveView {
  /** The same for all browsers and sessions with the same identity and the same rights; streams with one key share facts. */
  readonly key: string
  readonly clusters: readonly string[]
  readonly seesAudit: (cluster: string | null) => boolean
  /** An event in words for them. Default: as it is. */
  readonly worded?: (event: LiveEvent) => LiveEvent
  /** Begins to listen to Incus with the person's authority, for as long as their streams are open. */
  readonly watch: (publish: (event: LiveEvent) => void) => Watch
}

/** Whom a stream belongs to, and what they may see. */
export interface LiveListener extends LiveView {
  /** Tag of the session that it was opened with. */
  readonly session: string
  /** How it is with the session, asked every five seconds: `changed` when its rights are not those of the key any more. */
  readonly recheck: () => Promise<'stands' | 'changed' | 'ended'>
}

export interface Watch {
  stop(): void
}

export interface LiveHubPorts {
  /** Present answer times of a cluster's members, for the event that is sent every second. */
  readonly answers: (cluster: string) => Extract<LiveEvent, { kind: 'answers-measured' }>['members']
  readonly clock: Clock
  readonly random: Random
}

interface Entry {
  readonly channel: LiveChannel
  readonly view: LiveView
  readonly watch: Watch
  /** Ends the channel some time after its last stream has gone. */
  cancelEnd: () => void
}

const answersEveryMs = 1_000
const heartbeatEveryMs = 2_000
const recheckEveryMs = 5_000
/** For how long a session is believed to stand while the sessions cannot be read. */
const believedForMs = 60_000
/** As long as a window can continue a broken stream. */
const lingerMs = 5 * 60_000
/** How long browsers take, at random, to connect again when this replica stops. */
const goawayWithinMs = 2_000
/** By then a browser that signed in anew has the cookie of the session that took the place of its last one. */
const newCookieMs = 1_000

export class LiveHub {
  readonly #ports: LiveHubPorts
  readonly #entries = new Map<string, Entry>()
  /** The open streams of each session. */
  readonly #bySession = new Map<string, Set<LiveStream>>()
  #draining = false
  #cancelTick = () => {}
  #ticks = 0

  constructor(ports: LiveHubPorts) {
    this.#ports = ports
    this.#tick()
  }

  /** Joins a browser's stream; it stays until the browser goes, the session ends, or this replica stops. */
  open(listener: LiveListener, stream: LiveStream, lastEventId: string | null): void {
    if (this.#draining) {
      endStream(stream, 'goaway', { withinMs: goawayWithinMs })
      return
    }
    const entry = this.#entry(listener)
    entry.cancelEnd()
    entry.channel.join(stream, lastEventId)
    this.#remember(listener.session, stream)
    this.#recheck(listener, stream, this.#ports.clock.monotonic())
    void stream.closed.then(() => this.#linger(entry))
  }

  /**
   * Where a stream with this view stands now. Opened with it within five minutes, it continues from here; from now on
   * what happens is kept for it. Null when this replica is stopping.
   */
  position(view: LiveView): string | null {
    if (this.#draining) return null
    const entry = this.#entry(view)
    this.#linger(entry)
    return entry.channel.position
  }

  /** A session ended in this process: its streams end now. Others find out when they look after their sessions. */
  endSession(session: string): void {
    for (const stream of this.#bySession.get(session) ?? []) {
      endStream(stream, 'session-ended', { reason: sessionEndedReason })
    }
  }

  /** The browser got another session in place of this one: its streams go on with that, if it is the same person's. */
  replaceSession(session: string): void {
    this.#ports.clock.after(newCookieMs, () => {
      for (const stream of this.#bySession.get(session) ?? []) endStream(stream, 'goaway', { withinMs: 0 })
    })
  }

  /** Tells what the console observed to everyone who may see it. */
  publish(event: LiveEvent): void {
    for (const { channel, view } of this.#entries.values()) {
      if (maySee(view, event)) channel.publish(view.worded?.(event) ?? event)
    }
  }

  /** Says goodbye to all browsers, which connect again, to another replica if there is one. */
  drain(): void {
    this.#draining = true
    this.#cancelTick()
    for (const [key, { channel }] of this.#entries) {
      channel.end({ kind: 'goaway', withinMs: goawayWithinMs })
      this.#end(key)
    }
  }

  get streams(): number {
    return this.#entries.values().reduce((sum, { channel }) => sum + channel.size, 0)
  }

  #entry(view: LiveView): Entry {
    const known = this.#entries.get(view.key)
    if (known !== undefined) return known
    const channel = new LiveChannel(this.#ports.random.bytes(9).toString('hex'), this.#ports.clock)
    const watch = view.watch((event) => channel.publish(view.worded?.(event) ?? event))
    const entry: Entry = { channel, view, watch, cancelEnd: () => {} }
    this.#entries.set(view.key, entry)
    return entry
  }

  /** Keeps what happens for those who come back, as long as it could be continued. */
  #linger(entry: Entry): void {
    if (entry.channel.size > 0) return
    entry.cancelEnd()
    entry.cancelEnd = this.#ports.clock.after(lingerMs, () => this.#end(entry.view.key))
  }

  #remember(session: string, stream: LiveStream): void {
    const streams = this.#bySession.get(session) ?? new Set()
    this.#bySession.set(session, streams.add(stream))
    void stream.closed.then(() => {
      streams.delete(stream)
      if (streams.size === 0) this.#bySession.delete(session)
    })
  }

  #end(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || (entry.channel.size > 0 && !this.#draining)) return
    entry.cancelEnd()
    entry.watch.stop()
    this.#entries.delete(key)
  }

  /**
   * A session that ended, wherever that was, takes its streams with it within five seconds; one whose rights changed is
   * told to connect again, with those it has now.
   */
  #recheck(listener: LiveListener, stream: LiveStream, stoodAt: number): void {
    const { clock } = this.#ports
    const cancel = clock.after(recheckEveryMs, () => {
      void listener.recheck().then(
        (found) => {
          if (found === 'stands') this.#recheck(listener, stream, clock.monotonic())
          else if (found === 'ended') endStream(stream, 'session-ended', { reason: sessionEndedReason })
          else endStream(stream, 'goaway', { withinMs: goawayWithinMs })
        },
        () => {
          if (clock.monotonic() - stoodAt < believedForMs) this.#recheck(listener, stream, stoodAt)
          else endStream(stream, 'goaway', { withinMs: goawayWithinMs })
        },
      )
    })
    void stream.closed.then(cancel)
  }

  #tick(): void {
    this.#cancelTick = this.#ports.clock.after(answersEveryMs, () => {
      this.#ticks += 1
      this.#tellAnswers()
      if (this.#ticks % (heartbeatEveryMs / answersEveryMs) === 0) this.#tellHeartbeat()
      this.#tick()
    })
  }

  #tellAnswers(): void {
    const at = instant(this.#ports.clock.now())
    const byCluster = new Map<string, LiveEvent>()
    for (const { channel, view } of this.#entries.values()) {
      if (channel.size === 0) continue
      for (const cluster of view.clusters) {
        const event = byCluster.get(cluster) ?? {
          kind: 'answers-measured',
          cluster,
          at,
          members: this.#ports.answers(cluster),
        }
        byCluster.set(cluster, event)
        channel.mention(event)
      }
    }
  }

  #tellHeartbeat(): void {
    const at = instant(this.#ports.clock.now())
    for (const { channel } of this.#entries.values()) channel.mention({ kind: 'heartbeat', at })
  }
}

const sessionEndedReason = 'The session has ended.'

function endStream(stream: LiveStream, event: 'goaway' | 'session-ended', data: object): void {
  stream.send({ event, data })
  stream.close()
}

function maySee(view: LiveView, event: LiveEvent): boolean {
  if (event.kind === 'audit-appended') return view.seesAudit(event.cluster)
  return !('cluster' in event) || view.clusters.includes(event.cluster)
}
