import type { Clock } from '../lib/clock.ts'
import type { LimitSettings } from './gateway-settings.ts'
import type { MemberLoad } from './gateway-watch.ts'
import { MemberError } from './member-error.ts'

/** What is counted apart from the rest: a member full of lists still takes single reads, and changes. */
export type LimitKind = 'read' | 'list' | 'mutate' | 'stream'

/** A place at a member, or in the queue for one. */
export interface Place {
  /** Gives it up; may be called more than once. Whoever leaves the queue is never called. */
  leave(): void
}

interface Waiting {
  readonly enter: () => void
  readonly refuse: (error: MemberError) => void
  readonly stopWaiting: () => void
}

interface Gate {
  readonly member: string
  readonly kind: LimitKind
  taken: number
  readonly queue: Set<Waiting>
}

/** How much one member may have under way. Who does not fit waits a moment in the member's queue, and is then refused. */
export class MemberLimits {
  readonly #settings: LimitSettings
  readonly #clock: Clock
  readonly #panic: () => boolean
  readonly #gates = new Map<string, Gate>()

  /** @param panic whether too few members answer: then half as much is let in, so that those left are not overrun. */
  constructor(settings: LimitSettings, clock: Clock, panic: () => boolean) {
    this.#settings = settings
    this.#clock = clock
    this.#panic = panic
  }

  /**
   * Calls `enter` as soon as there is a place, at once if there is one now, or `refuse` with a `busy` MemberError when
   * the queue is full or the wait was too long. Exactly one of them, unless the place is left before.
   */
  enter(member: string, kind: LimitKind, enter: () => void, refuse: (error: MemberError) => void): Place {
    const gate = this.#gate(member, kind)
    if (gate.taken < this.#most(kind)) return this.#take(gate, kind, enter)
    if (this.#queued(member) >= this.#settings.queuePerMember) {
      refuse(busy(member))
      return { leave: nothing }
    }
    let place: Place | null = null
    const waiting: Waiting = {
      enter: () => {
        place = this.#take(gate, kind, enter)
      },
      refuse,
      stopWaiting: this.#clock.after(this.#settings.queueMs, () => {
        if (gate.queue.delete(waiting)) refuse(busy(member))
      }),
    }
    gate.queue.add(waiting)
    return {
      leave: () => {
        if (place !== null) place.leave()
        else if (gate.queue.delete(waiting)) waiting.stopWaiting()
      },
    }
  }

  /** How much each member that was ever asked has under way and waiting. */
  load(): readonly MemberLoad[] {
    return [...this.#gates.values()].map(({ member, kind, taken, queue }) => ({
      member,
      kind,
      taken,
      waiting: queue.size,
      most: this.#most(kind),
    }))
  }

  /** How many requests of a kind a member has under way. */
  taken(member: string, kind: LimitKind): number {
    return this.#gates.get(`${kind} ${member}`)?.taken ?? 0
  }

  #take(gate: Gate, kind: LimitKind, enter: () => void): Place {
    gate.taken += 1
    let left = false
    const place = {
      leave: (): void => {
        if (left) return
        left = true
        gate.taken -= 1
        this.#letIn(gate, kind)
      },
    }
    enter()
    return place
  }

  #letIn(gate: Gate, kind: LimitKind): void {
    for (const waiting of gate.queue) {
      if (gate.taken >= this.#most(kind)) return
      gate.queue.delete(waiting)
      waiting.stopWaiting()
      waiting.enter()
    }
  }

  #most(kind: LimitKind): number {
    const { readsPerMember, listsPerMember, mutationsPerMember, streamsPerMember } = this.#settings
    const most = { read: readsPerMember, list: listsPerMember, mutate: mutationsPerMember, stream: streamsPerMember }
    return this.#panic() ? Math.max(1, Math.floor(most[kind] / 2)) : most[kind]
  }

  #queued(member: string): number {
    let queued = 0
    for (const kind of kinds) queued += this.#gates.get(`${kind} ${member}`)?.queue.size ?? 0
    return queued
  }

  #gate(member: string, kind: LimitKind): Gate {
    const key = `${kind} ${member}`
    const known = this.#gates.get(key)
    if (known !== undefined) return known
    const gate: Gate = { member, kind, taken: 0, queue: new Set() }
    this.#gates.set(key, gate)
    return gate
  }
}

const kinds = ['read', 'list', 'mutate', 'stream'] as const satisfies readonly LimitKind[]

function busy(member: string): MemberError {
  const message = `${member} has as many requests under way as it may have`
  return new MemberError({ kind: 'busy', member, phase: 'connect', sent: false, message })
}

function nothing(): void {}
