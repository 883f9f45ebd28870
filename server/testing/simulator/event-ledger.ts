import type { Clock } from '../../src/lib/clock.ts'
import type { Referee } from './referee.ts'
import type { SimulatedMember } from './simulated-member.ts'

interface Happening {
  readonly at: number
  /** Whether anybody who could have told the console had it to tell. */
  owed: boolean
  lastCarriedAt: number
  /** By which console it was told. */
  told: number | null
}

interface Gap {
  readonly from: number
  readonly to: number
}

/** By so much the times of a gap may be off: an event takes its way to the member that would have told it. */
const toleranceMs = 600

/** What happened in the cluster, against what the console told of it: each at most once, and none missing without a word. */
export class EventLedger {
  readonly #clock: Clock
  readonly #referee: Referee
  readonly #members: () => readonly SimulatedMember[]
  readonly #happenings = new Map<number, Happening>()
  #gaps: Gap[] = []
  #heardFrom = Infinity

  constructor(clock: Clock, referee: Referee, members: () => readonly SimulatedMember[]) {
    this.#clock = clock
    this.#referee = referee
    this.#members = members
  }

  happened(number: number, origin: SimulatedMember): void {
    const at = this.#clock.monotonic()
    const nobodyListens = this.#members().every(({ subscriptions }) => subscriptions.size === 0)
    this.#happenings.set(number, { at, owed: nobodyListens && !origin.isCut, lastCarriedAt: at, told: null })
  }

  /**
   * A member has it, and tells whoever listens to it. What a member that is cut off has to tell is only owed when it
   * comes to another one: Incus itself loses it if that never happens, and no stream shows it.
   */
  carried(number: number, { subscriptions, isCut }: SimulatedMember): void {
    const happening = this.#happenings.get(number)
    if (happening === undefined) return
    happening.lastCarriedAt = this.#clock.monotonic()
    happening.owed ||= subscriptions.size > 0 && !isCut
  }

  /** A console begins to listen; what happened before is not its business. */
  listensFrom(): void {
    this.#heardFrom = this.#clock.monotonic()
    this.#gaps = []
    for (const happening of this.#happenings.values()) happening.told = null
  }

  told(number: number): void {
    const happening = this.#happenings.get(number)
    if (happening === undefined) {
      this.#referee.broken(`event ${number} was told and never happened`)
      return
    }
    this.#referee.expect(happening.told === null, () => `event ${number} was told twice`)
    happening.told = this.#clock.monotonic()
  }

  /** The console says that events of this time, told by the monotonic clock, may be missing. */
  missed(from: number, to: number): void {
    this.#gaps.push({ from, to })
  }

  /** At the end, when everything has had its time to arrive. */
  settle(): void {
    for (const [number, { at, owed, lastCarriedAt, told }] of this.#happenings) {
      // What has just happened is still on its way.
      const isOld = this.#clock.monotonic() - at > toleranceMs
      if (told !== null || !owed || at < this.#heardFrom || !isOld) continue
      const announced = this.#gaps.some(({ from, to }) => from - toleranceMs <= lastCarriedAt && at <= to + toleranceMs)
      this.#referee.expect(announced, () => {
        const gaps = this.#gaps.map(({ from, to }) => `${Math.round(from)}–${Math.round(to)}`).join(', ')
        return `event ${number} of ${Math.round(at)} ms was not told, and no gap says so (gaps: ${gaps || 'none'})`
      })
    }
  }

  get count(): number {
    return this.#happenings.size
  }
}
