import { ManualClock } from './manual-clock.ts'
import type { Script } from './scripted-members.ts'
import { ScriptedMembers } from './scripted-members.ts'

export const refused: Script = { connects: null, fails: { at: 1, kind: 'refused' } }
export const cutOff: Script = { connects: null, fails: { at: 1_000, kind: 'timed-out' } }
export const stuck: Script = {}
export const quick: Script = { answers: 3 }

/** What became of a request to members that follow their scripts. */
export interface ScriptedRun<Result> {
  /** What was seen and done, a line each with its time. */
  readonly diary: readonly string[]
  /** Undefined while it has not ended. */
  readonly outcome: Result | Error | undefined
  /** Milliseconds after its beginning; -1 while it has not ended. */
  readonly endedAt: number
  readonly world: ScriptedMembers
}

/**
 * Begins a request to members that follow their scripts, and lets time pass.
 *
 * @param during what happens meanwhile. Default: a minute passes.
 */
export async function runScripts<Result>(
  scripts: Readonly<Record<string, Script>>,
  begin: (world: ScriptedMembers, clock: ManualClock) => Promise<Result>,
  during: (clock: ManualClock) => Promise<void> = (clock) => clock.pass(60_000),
): Promise<ScriptedRun<Result>> {
  const clock = new ManualClock()
  const world = new ScriptedMembers(clock, scripts)
  const startedAt = clock.monotonic()
  let outcome: Result | Error | undefined
  let endedAt = -1
  const ended = (end: Result | Error): void => {
    outcome = end
    endedAt = Math.round(clock.monotonic() - startedAt)
  }
  begin(world, clock).then(ended, ended)
  await during(clock)
  return { diary: world.diary, outcome, endedAt, world }
}
