// Questions for people who wait a moment and no longer. What is late goes on behind; while it does, the same is asked
// again once a second, however often somebody looks.

import type { Clock } from '../lib/clock.ts'
import { PATIENCE_MS, soon } from './patience.ts'

/** A question that was put, at a monotonic time, and what was known then. */
interface Put {
  readonly at: number
  /** That nobody answers. */
  readonly isLost: boolean
  /** How much was changed before. */
  readonly changes: number
}

const askAgainMs = 1_000

export class PatientQuestions {
  readonly #isLost: () => boolean
  readonly #clock: Clock
  /** Questions that nobody waits for any more, by who asked whom. */
  readonly #late = new Map<string, Put>()
  #changes = 0

  /** @param isLost whether it is known that nobody answers: nobody waits then */
  constructor(isLost: () => boolean, clock: Clock) {
    this.#isLost = isLost
    this.#clock = clock
  }

  /**
   * The answer, or null where it does not come within a fifth of a second: `ask` goes on, and whatever becomes of it then
   * is up to `ask` itself. Null at once while the same question of a moment ago is unanswered. Rejects as `ask` does.
   *
   * @param key who asks whom for what
   */
  async put<Answer>(key: string, ask: () => Promise<Answer>): Promise<Answer | null> {
    const put: Put = { at: this.#clock.monotonic(), isLost: this.#isLost(), changes: this.#changes }
    const late = this.#late.get(key)
    if (late !== undefined && saysAsMuch(late, put)) return null
    const asking = ask()
    const answer = await soon(
      this.#clock,
      asking.then((value) => ({ value })),
      put.isLost ? 0 : PATIENCE_MS,
    )
    if (answer !== null) return answer.value
    this.#late.set(key, put)
    const isOver = (): void => {
      if (this.#late.get(key) === put) this.#late.delete(key)
    }
    asking.then(isOver, isOver)
    return null
  }

  /** Something was changed: whoever looks next asks anew. */
  changed(): void {
    this.#changes += 1
  }
}

/** What was asked in vain before the cluster came back, or before a change, says nothing of now. */
function saysAsMuch(late: Put, put: Put): boolean {
  return put.at - late.at < askAgainMs && late.isLost === put.isLost && late.changes === put.changes
}

export const whyLate = `The cluster did not answer within ${PATIENCE_MS} ms.`
