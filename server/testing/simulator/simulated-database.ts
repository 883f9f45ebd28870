import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'
import type { SimulatedMember } from './simulated-member.ts'

interface Query {
  readonly by: SimulatedMember
  readonly run: () => void
  readonly fail: () => void
  over: boolean
}

const electionMs = { least: 800, most: 3_000 }
/** After which Incus gives a query up (its contexts end after 10 s). */
const givenUpMs = 4_000

/** The cluster database: every query of every member goes through one leader, and waits while there is none. */
export class SimulatedDatabase {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #members: readonly SimulatedMember[]
  #leader: SimulatedMember
  #waiting = new Set<Query>()
  #electing = false

  constructor(clock: Clock, chance: Chance, members: readonly [SimulatedMember, ...SimulatedMember[]]) {
    this.#clock = clock
    this.#chance = chance
    this.#members = members
    this.#leader = members[0]
  }

  get leader(): SimulatedMember {
    return this.#leader
  }

  get answers(): boolean {
    return !this.#electing && this.#leader.works
  }

  query(by: SimulatedMember, run: () => void, fail: () => void): void {
    if (this.answers && by.works) {
      run()
      return
    }
    const query: Query = { by, run, fail, over: false }
    this.#waiting.add(query)
    this.#clock.after(givenUpMs * this.#chance.between(0.8, 1.2), () => {
      if (!this.#waiting.delete(query)) return
      by.later(0, fail)
    })
    this.changed()
  }

  /** The leader steps down, for no reason that anybody sees. */
  loseLeader(): void {
    this.#elect()
  }

  /** Something has changed with a member: whoever waits may go on, or has to wait for another leader. */
  changed(): void {
    const { process, isCut } = this.#leader
    // A leader that is stopped keeps its connections, and nobody is elected in its place for a long time.
    if (!this.#electing && (process === 'dead' || process === 'starting' || isCut)) this.#elect()
    if (!this.answers) return
    for (const query of this.#waiting) {
      if (!query.by.works) continue
      this.#waiting.delete(query)
      query.by.later(this.#chance.between(0, 3), query.run)
    }
  }

  #elect(): void {
    if (this.#electing) return
    this.#electing = true
    this.#clock.after(this.#chance.between(electionMs.least, electionMs.most), () => {
      this.#electing = false
      const working = this.#members.filter(({ works }) => works)
      const [next] = working
      if (next !== undefined && working.length * 2 > this.#members.length) {
        this.#leader = this.#chance.oneOf(working)
        this.changed()
      } else {
        this.#elect()
      }
    })
  }
}
