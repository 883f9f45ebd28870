// One live stream for all pages of a person in a browser: browsers allow six connections per origin with HTTP/1.1, and
// ten pages with a stream each would leave none for reading. Each page is a LiveTab; one of them leads: it has the
// stream, and passes on what comes.
//
// Decision, 2026-11-22: Web Locks and BroadcastChannel rather than a SharedWorker. Who leads is who holds a lock, which
// the browser itself gives to the next page in the same moment in which the one that led closes or crashes: there is no
// election to get wrong. All runs in pages, so that it is seen in their developer tools, needs no worker URL and with it
// no Trusted Types policy, and nothing of it comes later than the program. A SharedWorker would be a second program with
// a life of its own, that an update of the console has to end first, and Chrome for Android has none.
// What follows: a page must be able to go on where another one stopped. Every page therefore knows its own position, and
// takes an event only when it is the next one. A stream carries everything that its person may follow, in all clusters,
// so there are no subscriptions of pages to be joined.
//
// Lock and channel are named by the person: pages of two people who use the browser one after the other never hear of
// each other. A page that leads and is frozen, as browsers do with those in the background, says nothing; a page that is
// looked at then takes the lead from it. A browser without these means has a stream per page.

import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { StreamEvent } from './event-stream.ts'
import { parseLiveEvent, type LivePhase } from './follow-live.ts'
import { placeOf, recentAfter, withRecent, type RecentEvents } from './live-position.ts'
import { TabMessage } from './tab-message.ts'

/** What the page that leads needs to follow the console's stream. */
export interface Stream {
  readonly position: () => string | null
  readonly onEvent: (received: StreamEvent, event: LiveEvent | undefined) => void
  readonly onPhase: (phase: LivePhase) => void
  readonly onSignedOut: (reason: string) => void
}

/** The means of a browser by which pages find each other. */
export interface TabMeans {
  readonly locks: Pick<LockManager, 'request'>
  readonly openChannel: (name: string, hear: (message: unknown) => void) => TabChannel
}

export interface TabChannel {
  /** To all other pages that opened it by this name. */
  say(message: TabMessage): void
  close(): void
}

export interface TabWorld {
  /** Null where the browser has no such means: this page then has a stream of its own. */
  readonly means: TabMeans | null
  /** Stands for the person whose page it is. */
  readonly person: string
  /** Unlike that of any other page. */
  readonly id: string
  /** Follows the console's stream until the signal aborts or the session ends. */
  readonly follow: (stream: Stream, signal: AbortSignal) => Promise<void>
  readonly isVisible: () => boolean
  /** In milliseconds, forward only. */
  readonly now: () => number
  /** Calls back again and again; returns what ends it. */
  readonly every: (ms: number, callback: () => void) => () => void
  readonly random: () => number
  /** What happened, each event once and in order, or `resync`. */
  readonly onEvent: (event: LiveEvent) => void
  readonly onPhase: (phase: LivePhase) => void
  readonly onSignedOut: (reason: string) => void
}

const checkEveryMs = 1000
const beatEveryMs = 1000
/** Longer than the console's own heartbeat may be missed, after which the page that leads connects again. */
const silentForMs = 8000
/** Two pages side by side shall not take the lead from each other. */
const scatterMs = 2000
/** How long a page that leads may take to say what was missed. */
const answerWithinMs = 1500

export class LiveTab {
  readonly #world: TabWorld
  #position: string | null
  #recent: RecentEvents = []
  #channel: TabChannel | null = null
  #phase: LivePhase = 'connecting'
  #leads = false
  /** Numbered events wait from here on, until it is known what came before them. */
  #askedAt: number | null = null
  #heardAt = 0
  #checkedAt = 0
  #patienceMs = silentForMs
  #stop: AbortController | null = null
  /** Its place in the queue of those who would lead, or its lead. */
  #turn: AbortController | null = null

  /** @param position what the page has read tells everything up to here; null when that is not known. */
  constructor(world: TabWorld, position: string | null) {
    this.#world = world
    this.#position = position
  }

  get leads(): boolean {
    return this.#leads
  }

  /** Begins, or goes on after `stop`, where it was. */
  start(): void {
    if (this.#stop !== null) return
    const stop = new AbortController()
    this.#stop = stop
    const { means, person } = this.#world
    if (means === null) {
      void this.#lead(stop.signal)
      return
    }
    const name = `malleus-live-1-${person}`
    const channel = means.openChannel(name, (said) => {
      const message = TabMessage.safeParse(said)
      if (message.success && !stop.signal.aborted) this.#hear(message.data)
    })
    this.#channel = channel
    this.#heardAt = this.#checkedAt = this.#world.now()
    this.#patienceMs = silentForMs + scatterMs * this.#world.random()
    const ends = [
      this.#world.every(checkEveryMs, () => this.#check(means.locks, name)),
      this.#world.every(beatEveryMs, () => this.#leads && this.#tellPhase()),
    ]
    stop.signal.addEventListener('abort', () => {
      for (const end of ends) end()
      channel.close()
    })
    this.#ask()
    void this.#queue(means.locks, name)
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = null
    this.#channel = null
  }

  /** Leads from when the lock is free, until the page goes, another one takes the lead, or the session ends. */
  async #queue(locks: TabMeans['locks'], name: string, options: LockOptions = {}): Promise<void> {
    const stop = this.#stop
    if (stop === null) return
    const turn = new AbortController()
    this.#turn = turn
    const { signal } = turn
    const callOff = (): void => turn.abort()
    stop.signal.addEventListener('abort', callOff)
    try {
      const request = options.steal === true ? options : { signal }
      await locks.request(name, request, () => (signal.aborted ? undefined : this.#lead(signal)))
    } catch {
      // Another page took the lead, or this one called its place off to take it.
      turn.abort()
      if (this.#turn === turn) void this.#queue(locks, name)
    } finally {
      stop.signal.removeEventListener('abort', callOff)
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#leads = true
    this.#askedAt = null
    await this.#world.follow(
      {
        position: () => this.#position,
        onEvent: (received, event) => {
          if (signal.aborted) return
          this.#take(received, event)
        },
        onPhase: (phase) => {
          // Whoever takes over from a page that was live is live as long as nothing says otherwise.
          if (signal.aborted || (phase === 'connecting' && this.#phase === 'live')) return
          this.#phase = phase
          // A loss is told with the next beat: a page that is being closed loses its stream too, and by then another one
          // leads, and lost nothing.
          if (phase === 'live') this.#tellPhase()
          this.#world.onPhase(phase)
        },
        onSignedOut: (reason) => {
          if (signal.aborted) return
          this.#say({ kind: 'signed-out', reason })
          this.#end(reason)
        },
      },
      signal,
    )
    this.#leads = false
  }

  #hear(message: TabMessage): void {
    if (message.kind === 'hello') {
      if (!this.#leads) return
      const events = recentAfter(this.#recent, this.#position, message.position)
      this.#say({ kind: 'welcome', to: message.from, events: events && [...events], position: this.#position })
      this.#tellPhase()
      return
    }
    // Two lead for a moment when one took the lead from another that slept; neither believes the other.
    if (this.#leads) return
    this.#heardAt = this.#world.now()
    switch (message.kind) {
      case 'event':
        this.#follow(message.received)
        return
      case 'phase':
        if (this.#phase !== message.phase) this.#world.onPhase(message.phase)
        this.#phase = message.phase
        if (this.#isBehind(message.position)) this.#ask()
        return
      case 'signed-out':
        this.#end(message.reason)
        return
      case 'welcome':
        if (message.to === this.#world.id) this.#catchUp(message.events, message.position)
    }
  }

  #follow(received: StreamEvent): void {
    if (received.id === undefined || received.event === 'resync') {
      this.#take(received, parseLiveEvent(received))
      if (received.event === 'resync') this.#askedAt = null
      return
    }
    if (placeOf(received.id, this.#position) === 'next') this.#take(received, parseLiveEvent(received))
    else if (this.#isBehind(received.id)) this.#ask()
  }

  #catchUp(events: readonly StreamEvent[] | null, position: string | null): void {
    if (this.#askedAt === null) return
    this.#askedAt = null
    if (events !== null) for (const received of events) this.#follow(received)
    else if (position !== null) {
      this.#position = position
      this.#recent = []
      this.#world.onEvent({ kind: 'resync', reason: 'this page cannot say what it missed' })
    }
  }

  /** What this page has not had yet. The page that leads is told each event once by the console. */
  #take(received: StreamEvent, event: LiveEvent | undefined): void {
    if (received.id !== undefined) {
      this.#position = received.id
      this.#recent = withRecent(this.#recent, received)
    }
    if (this.#leads) this.#say({ kind: 'event', received })
    if (event !== undefined) this.#world.onEvent(event)
  }

  #ask(): void {
    this.#askedAt = this.#world.now()
    this.#say({ kind: 'hello', from: this.#world.id, position: this.#position })
  }

  /** Whether something is missing up to there, and nobody was asked for it who still may answer. */
  #isBehind(position: string | null): boolean {
    if (position === null || placeOf(position, this.#position) === 'known') return false
    // Whoever was asked may have gone; another one leads now.
    return this.#askedAt === null || this.#world.now() - this.#askedAt > answerWithinMs
  }

  /** Once a second: whether the page that leads still does. */
  #check(locks: TabMeans['locks'], name: string): void {
    const now = this.#world.now()
    // What was said while this page slept has not been heard yet.
    if (now - this.#checkedAt > 3 * checkEveryMs) this.#heardAt = now
    this.#checkedAt = now
    if (this.#leads || !this.#world.isVisible() || now - this.#heardAt < this.#patienceMs) return
    this.#heardAt = now
    const queued = this.#turn
    void this.#queue(locks, name, { steal: true })
    queued?.abort()
  }

  #tellPhase(): void {
    if (this.#phase !== 'ended') this.#say({ kind: 'phase', phase: this.#phase, position: this.#position })
  }

  #say(message: TabMessage): void {
    if (this.#stop !== null) this.#channel?.say(message)
  }

  #end(reason: string): void {
    this.#phase = 'ended'
    this.#world.onPhase('ended')
    this.#world.onSignedOut(reason)
    this.stop()
  }
}
