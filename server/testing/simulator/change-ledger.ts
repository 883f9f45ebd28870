import type { Verdict } from '../../src/mutations/reconciler.ts'
import type { Referee } from './referee.ts'

/** How one try of a change ended for who asked. `lost`: the console went away before it had answered. */
export interface Try {
  readonly status: number
  readonly code: string | null
}

interface Change {
  readonly tries: Try[]
  executions: number
  verdicts: Verdict['kind'][]
}

/** Codes that say that it certainly was not done by this try. */
const certainlyNot: ReadonlySet<string> = new Set([
  'audit_unavailable',
  'storage_unavailable',
  'no_responsive_member',
  'member_unavailable',
  'member_busy',
  'deadline_exceeded',
  'cluster_rejected_token',
  'already_running',
])

/** Every change that was asked for: how often it was executed, what was said of it, and whether it was written down before. */
export class ChangeLedger {
  readonly #referee: Referee
  readonly #changes = new Map<string, Change>()
  readonly #isWritten: (request: string) => boolean

  /** @param isWritten whether the history durably has the intent of a request */
  constructor(referee: Referee, isWritten: (request: string) => boolean) {
    this.#referee = referee
    this.#isWritten = isWritten
  }

  executed(thing: string, request: string): void {
    const change = this.#of(thing)
    change.executions += 1
    this.#referee.expect(change.executions <= 1, () => `${thing} was changed ${change.executions} times`)
    this.#referee.expect(this.#isWritten(request), () => `${thing} was changed, and no intent of it is in the history`)
  }

  ended(thing: string, end: Try): void {
    const change = this.#of(thing)
    change.tries.push(end)
    const { code, status } = end
    this.#referee.expect(
      status >= 300 || change.executions === 1,
      () => `${thing} was said to be done (${status}) and was not`,
    )
    this.#referee.expect(status !== 500, () => `${thing} failed in a way that nobody foresaw: ${code ?? 'no code'}`)
  }

  found(thing: string, { kind }: Verdict): void {
    const change = this.#of(thing)
    change.verdicts.push(kind)
    this.#referee.expect(kind !== 'confirmed' || change.executions === 1, () => `${thing} was confirmed and not done`)
    this.#referee.expect(kind !== 'not_applied' || change.executions === 0, () => `${thing} was denied and done`)
  }

  /** Whether something was left unknown that nobody has found out yet. */
  get hasOpenQuestions(): boolean {
    return [...this.#changes.values()].some(({ tries, verdicts }) => isUnknown(tries) && verdicts.length === 0)
  }

  /** At the end: what was said to be certainly not done was not, and what was left unknown was looked into. */
  settle(lookedInto: boolean): void {
    for (const [thing, { tries, executions, verdicts }] of this.#changes) {
      const said = tries.map(({ status, code }) => code ?? String(status)).join(', ')
      const denied = tries.every(({ code }) => code !== null && certainlyNot.has(code))
      const wasDenied = verdicts.includes('not_applied')
      this.#referee.expect(!wasDenied || executions === 0, () => `${thing} was denied, and done after all`)
      this.#referee.expect(!denied || executions === 0, () => `${thing} was done, and denied every time: ${said}`)
      this.#referee.expect(
        !isUnknown(tries) || !lookedInto || verdicts.length > 0,
        () => `nobody looked into what became of ${thing}: ${said}`,
      )
      const last = tries.at(-1)
      this.#referee.expect(
        last === undefined || last.status < 300 || last.code === 'outcome_unknown',
        () => `${thing} is neither done nor said to be unknown when all is well again: ${said}`,
      )
    }
  }

  get count(): number {
    return this.#changes.size
  }

  #of(thing: string): Change {
    let change = this.#changes.get(thing)
    if (change === undefined) this.#changes.set(thing, (change = { tries: [], executions: 0, verdicts: [] }))
    return change
  }
}

function isUnknown(tries: readonly Try[]): boolean {
  return tries.some(({ code }) => code === 'outcome_unknown')
}
