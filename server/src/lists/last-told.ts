// What Incus tells one person or role, asked anew whenever they look, and never later than a fifth of a second: after that
// it is what they were told last, with its age. What one authority was told is never shown to another.

import type { Known } from '@malleus/shared/api/freshness.ts'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import { describeListFailure, isRefusal } from './list-failure.ts'
import { PatientQuestions, whyLate } from './patient-questions.ts'

export interface LastToldOptions {
  /** Why nobody answers now, as a sentence; null while there is no such reason. Nobody waits then. */
  readonly loss: () => string | null
  readonly clock: Clock
}

/** What the latest question that was answered gave; null: a refusal. */
interface Kept<Value> {
  readonly question: number
  readonly told: { readonly value: Value; readonly asOf: string } | null
}

/** So many authorities are remembered, those who looked last. */
const mostAuthorities = 200
const nothingBefore = 'It had not told you before, or this console was started since.'

export class LastTold<Value> {
  readonly #options: LastToldOptions
  readonly #questions: PatientQuestions
  readonly #kept = new LRUCache<string, Kept<Value>>({ max: mostAuthorities })
  #asked = 0

  constructor(options: LastToldOptions) {
    this.#options = options
    this.#questions = new PatientQuestions(() => options.loss() !== null, options.clock)
  }

  /**
   * What `ask` gives where it does so in time, else what was told last. Rejects only with a refusal.
   *
   * @param authority whose answer it is
   * @param way through whom they ask; one that hangs keeps nobody from asking another
   */
  async read(authority: string, way: string, ask: () => Promise<Value>): Promise<Known<Value>> {
    const now = await this.#questions.put(JSON.stringify([authority, way]), () => this.#ask(authority, ask))
    return now ?? this.#lastTold(authority, whyLate)
  }

  /** Somebody changed something: whoever looks next asks anew, whatever they wait for in vain now. */
  changed(): void {
    this.#questions.changed()
  }

  async #ask(authority: string, ask: () => Promise<Value>): Promise<Known<Value>> {
    const question = (this.#asked += 1)
    // As of when it was asked: what is changed while it is on its way need not be in it.
    const asOf = instant(this.#options.clock.now())
    try {
      const value = await ask()
      this.#keep(authority, { question, told: { value, asOf } })
      return { value, freshness: { kind: 'fresh', asOf } }
    } catch (error) {
      if (!isRefusal(error)) return this.#lastTold(authority, describeListFailure(error))
      this.#keep(authority, { question, told: null })
      throw error
    }
  }

  /** Answers overtake each other; the one to the latest question counts. */
  #keep(authority: string, next: Kept<Value>): void {
    const kept = this.#kept.get(authority)
    if (kept === undefined || kept.question < next.question) this.#kept.set(authority, next)
  }

  #lastTold(authority: string, why: string): Known<Value> {
    const loss = this.#options.loss()
    const told = this.#kept.get(authority)?.told ?? null
    if (told !== null) return { value: told.value, freshness: { kind: 'stale', asOf: told.asOf, reason: loss ?? why } }
    const reason = loss === null ? why : `${loss} ${nothingBefore}`
    return { value: null, freshness: { kind: 'unavailable', reason } }
  }
}
