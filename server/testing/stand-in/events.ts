import type { Clock } from './clock.ts'
import type { Member } from './member.ts'
import { goTime } from './times.ts'
import type { TalkingSocket } from './websocket.ts'

export type EventType = 'lifecycle' | 'operation' | 'logging' | 'network-acl'

/** Who caused something, as Incus writes it into lifecycle events. */
export interface Requestor {
  username: string
  protocol: string
  address: string
}

export interface NewEvent {
  type: EventType
  /** Where it happened. */
  location: Member
  metadata: unknown
  /** Absent: it belongs to no project and everybody may see it. */
  project?: string
  /** Told only to those who listen on the member where it happened, as lines of the log below warnings are. */
  local?: boolean
}

interface Listener {
  socket: TalkingSocket
  member: Member
  types: readonly string[]
  maySee(project: string | undefined): boolean
}

/** An event on its way to a member that is cut off, or from one. */
interface Late {
  text: string
  from: Member
  sentAt: number
}

const PING_MS = 10_000
/** A listener that is this far behind is let go, as newer releases do after a thousand events. */
const MOST_BEHIND_BYTES = 4 * 1024 * 1024

/** Every member's stream carries what happens on all members it can reach. */
export class EventHub {
  readonly #clock: Clock
  readonly #duplicateOwn: boolean
  readonly #connectionMs: number
  readonly #listeners = new Map<Listener, Late[]>()
  #lastAt = 0

  constructor(clock: Clock, options: { duplicateOwn: boolean; connectionMs: number }) {
    this.#clock = clock
    this.#duplicateOwn = options.duplicateOwn
    this.#connectionMs = options.connectionMs
  }

  get listeners(): number {
    return this.#listeners.size
  }

  listen(listener: Listener): () => void {
    this.#listeners.set(listener, [])
    let cancelPing = (): void => undefined
    const ping = (): void => {
      if (listener.member.process === 'running') listener.socket.ping()
      cancelPing = this.#clock.after(PING_MS, ping)
    }
    cancelPing = this.#clock.after(PING_MS, ping)
    return () => {
      cancelPing()
      this.#listeners.delete(listener)
    }
  }

  /** Whether anybody listens to this on that member; what a log would say is not said to nobody. */
  isHeard(type: EventType, location: Member): boolean {
    return [...this.#listeners.keys()].some(({ member, types }) => member === location && types.includes(type))
  }

  send({ type, location, metadata, project, local = false }: NewEvent): void {
    const text = JSON.stringify({
      type,
      timestamp: goTime(this.#uniqueTime(location.now())),
      metadata,
      location: location.name,
      ...(project === undefined ? {} : { project }),
    })
    for (const [listener, late] of this.#listeners) {
      if (!listener.types.includes(type) || !listener.maySee(project)) continue
      if (local && listener.member !== location) continue
      if (!reaches(location, listener.member)) {
        if (listener.member.process !== 'dead') late.push({ text, from: location, sentAt: this.#clock.now() })
        continue
      }
      if (listener.socket.backlog > MOST_BEHIND_BYTES) {
        listener.socket.close(1011)
        continue
      }
      listener.socket.send(text)
      if (this.#duplicateOwn && listener.member === location) listener.socket.send(text)
    }
  }

  /**
   * A cable is in again: TCP between the members sends once more what was lost, unless their connection was given up
   * meanwhile.
   */
  catchUp(): void {
    for (const [listener, late] of this.#listeners) {
      for (const { text, from, sentAt } of late.splice(0)) {
        if (this.#clock.now() - sentAt >= this.#connectionMs) continue
        if (reaches(from, listener.member)) listener.socket.send(text)
        else if (listener.member.process !== 'dead') late.push({ text, from, sentAt })
      }
    }
  }

  /** `action` and `source` as Incus spells them, for instance `cluster-member-evacuated` and `/1.0/cluster/members/server2`. */
  lifecycle(event: {
    action: string
    source: string
    location: Member
    requestor?: Requestor
    project?: string
    name?: string
    context?: Record<string, unknown>
  }): void {
    const { action, source, location, requestor, project, name, context } = event
    this.send({
      type: 'lifecycle',
      location,
      // What belongs to no project is sent in the default one.
      project: project ?? 'default',
      metadata: {
        action,
        source,
        ...(context === undefined ? {} : { context }),
        ...(requestor === undefined ? {} : { requestor }),
        ...(name === undefined ? {} : { name }),
        ...(project === undefined ? {} : { project }),
      },
    })
  }

  /** Two events never have the same nanosecond, which is what tells them apart from a duplicate. */
  #uniqueTime(now: number): number {
    this.#lastAt = now > Math.floor(this.#lastAt) ? now : this.#lastAt + 0.001
    return this.#lastAt
  }
}

function reaches(from: Member, to: Member): boolean {
  if (from === to) return true
  return !from.cutOff && !to.cutOff && to.process !== 'dead'
}
