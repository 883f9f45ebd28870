import { StorageUnavailable } from '../../src/database/database-error.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'

interface Work {
  readonly isWanted: () => boolean
  readonly commit: () => void
  readonly done: () => void
  readonly fail: (error: Error) => void
}

/**
 * A disk with a database on it, that does one thing after the other. `slow`: as long as a full queue of others makes it.
 * `failing`: nothing is written. `forgetful`: it is written, and now and then the answer is lost. `hung`: nothing moves.
 */
export type DiskCondition = 'well' | 'slow' | 'failing' | 'forgetful' | 'hung'

export class SimulatedDisk {
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #queue: Work[] = []
  #condition: DiskCondition = 'well'
  #busy = false
  #resume: (() => void) | null = null

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock
    this.#chance = chance
  }

  set condition(condition: DiskCondition) {
    this.#condition = condition
    const resume = this.#resume
    this.#resume = null
    resume?.()
  }

  /** @param isWanted whether the process that asks still lives: nobody hears of what a killed one wrote last */
  write<Value>(isWanted: () => boolean, commit: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      let value: Value
      this.#queue.push({
        isWanted,
        commit: () => (value = commit()),
        done: () => resolve(value),
        fail: reject,
      })
      this.#next()
    })
  }

  #next(): void {
    const work = this.#queue[0]
    if (this.#busy || work === undefined) return
    this.#busy = true
    const tookMs = this.#condition === 'slow' ? this.#chance.between(100, 900) : 0.1 + this.#chance.waiting(0.5)
    this.#clock.after(tookMs, () => this.#carryOut(work))
  }

  #carryOut(work: Work): void {
    const condition = this.#condition
    if (condition === 'hung') {
      this.#resume = () => this.#carryOut(work)
      return
    }
    this.#queue.shift()
    this.#busy = false
    const wanted = work.isWanted()
    if (condition === 'failing' && wanted) {
      work.fail(new StorageUnavailable('the disk is full'))
    } else if (wanted || this.#chance.chance(0.5)) {
      work.commit()
      if (wanted && condition === 'forgetful' && this.#chance.chance(0.5))
        work.fail(new StorageUnavailable('the connection was lost'))
      else if (wanted) work.done()
    }
    this.#next()
  }
}
