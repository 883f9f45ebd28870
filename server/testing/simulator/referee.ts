import type { Trace } from './trace.ts'

/** What must never happen has happened. The message has all that is needed to see it again. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken'
}

/** Notes the first thing that must not happen; the run stops right there, whatever the code under test would catch. */
export class Referee {
  readonly #trace: Trace
  #verdict: string | null = null

  constructor(trace: Trace) {
    this.#trace = trace
  }

  broken(what: string): void {
    if (this.#verdict !== null) return
    this.#verdict = what
    this.#trace.note(`BROKEN: ${what}`)
  }

  expect(holds: boolean, what: () => string): void {
    if (!holds) this.broken(what())
  }

  get verdict(): string | null {
    return this.#verdict
  }
}
