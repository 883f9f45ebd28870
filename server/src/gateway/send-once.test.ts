import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManualClock } from '../../testing/manual-clock.ts'
import type { Script, ScriptedMembers } from '../../testing/scripted-members.ts'
import type { ScriptedRun } from '../../testing/scripted-run.ts'
import { cutOff, quick, refused, runScripts } from '../../testing/scripted-run.ts'
import { gatewaySettings } from './gateway-settings.ts'
import { MemberError, NoResponsiveMember, OutcomeUnknown } from './member-error.ts'
import type { SendOnceOptions, SentOnce } from './send-once.ts'
import { sendOnce } from './send-once.ts'

const settings = gatewaySettings().hedging

function run(
  scripts: Record<string, Script>,
  more: Partial<SendOnceOptions<string>> = {},
  during?: (clock: ManualClock) => Promise<void>,
): Promise<ScriptedRun<SentOnce<string>>> {
  const begin = (world: ScriptedMembers, clock: ManualClock) =>
    sendOnce({
      members: world.members,
      begin: world.begin,
      nobody: 'no_responsive_member',
      deadlineMs: 30_000,
      settings,
      clock,
      observer: world.observer,
      ...more,
    })
  return runScripts(scripts, begin, during)
}

describe('before the first byte', () => {
  it('a member that refuses is left for the next', async () => {
    const it = await run({ a: refused, b: refused, c: quick })
    expect(it.outcome).toEqual({ value: 'answer of c', via: 'c', attempts: 3 })
    expect(it.world.executed).toEqual(['c'])
  })

  it('a member that gives no connection is left after 100 ms, and never gets it later', async () => {
    const it = await run({ a: { connects: 101, answers: 200 }, b: quick })
    expect(it.outcome).toMatchObject({ via: 'b', attempts: 2 })
    expect(it.world.executed).toEqual(['b'])
    expect(it.world.diary).toContain('100 cancel a')
  })

  it('the last of those tried has its whole time to connect', async () => {
    const far: Script = { connects: 320, answers: 480 }
    const it = await run({ a: far, b: far, c: far, d: far })
    expect(it.outcome).toMatchObject({ via: 'c' })
    expect(it.world.executed).toEqual(['c'])
  })

  it('nobody takes it: it was sent to nobody', async () => {
    const it = await run({ a: refused, b: cutOff })
    expect(it.outcome).toBeInstanceOf(NoResponsiveMember)
    expect(it.outcome).toMatchObject({ code: 'no_responsive_member', attempts: 2 })
    expect(it.world.executed).toEqual([])
  })

  it('the time is up: it was sent to nobody, and never will be', async () => {
    const it = await run({ a: { connects: 40, answers: 50 } }, { deadlineMs: 30 })
    expect(it.outcome).toMatchObject({ code: 'deadline_exceeded' })
    expect(it.world.executed).toEqual([])
  })

  it('the browser has gone: it is not sent', async () => {
    const gone = new AbortController()
    const it = await run({ a: { connects: 40, answers: 50 } }, { signal: gone.signal }, async (clock) => {
      await clock.pass(20)
      gone.abort()
      await clock.pass(1_000)
    })
    expect(it.outcome).toMatchObject({ kind: 'cancelled', sent: false })
    expect(it.world.executed).toEqual([])
  })
})

describe('after the first byte', () => {
  it.each<[string, Script['fails']]>([
    ['a reset', { at: 5, kind: 'reset' }],
    ['garbage', { at: 5, kind: 'bad-reply' }],
    ['502', { at: 5, kind: 'incus', status: 502 }],
    [
      '503, even when it says that it is starting',
      { at: 5, kind: 'incus', status: 503, message: 'Daemon is starting up' },
    ],
    ['504', { at: 5, kind: 'incus', status: 504 }],
    ['no database', { at: 5, kind: 'incus', status: 500, database: true }],
  ])('%s: the outcome is unknown and nobody else is asked', async (_, fails) => {
    const it = await run({ a: fails === undefined ? {} : { fails }, b: quick })
    expect(it.outcome).toBeInstanceOf(OutcomeUnknown)
    expect(it.outcome).toMatchObject({ code: 'outcome_unknown', member: 'a', attempts: 1 })
    expect(it.world.executed).toEqual(['a'])
  })

  it('silence until the deadline: the outcome is unknown', async () => {
    const it = await run({ a: {}, b: quick })
    expect(it.outcome).toBeInstanceOf(OutcomeUnknown)
    expect(it.endedAt).toBe(30_000)
    expect(it.world.executed).toEqual(['a'])
  })

  it.each([400, 403, 404, 409, 412, 500, 501])('%d: Incus says that it did not do it', async (status) => {
    const it = await run({ a: { fails: { at: 5, kind: 'incus', status } }, b: quick })
    expect(it.outcome).toBeInstanceOf(MemberError)
    expect(it.outcome).toMatchObject({ kind: 'incus', status, attempts: 1 })
    expect(it.world.executed).toEqual(['a'])
  })

  it('a refused token is a refusal', async () => {
    const fails = { at: 5, kind: 'incus', status: 401, code: 'cluster_rejected_token' } as const
    expect((await run({ a: { fails }, b: quick })).outcome).toMatchObject({ code: 'cluster_rejected_token' })
  })

  it('a browser that goes does not end it', async () => {
    const gone = new AbortController()
    const it = await run({ a: { answers: 500 } }, { signal: gone.signal }, async (clock) => {
      await clock.pass(20)
      gone.abort()
      await clock.pass(1_000)
    })
    expect(it.outcome).toMatchObject({ via: 'a' })
  })
})

const script = fc.record({
  connects: fc.option(fc.integer({ min: 0, max: 400 })),
  answers: fc.option(fc.integer({ min: 1, max: 3_000 })),
  fails: fc.option(
    fc.record({
      at: fc.integer({ min: 1, max: 1_500 }),
      kind: fc.constantFrom(
        'refused' as const,
        'reset' as const,
        'timed-out' as const,
        'incus' as const,
        'bad-reply' as const,
      ),
      status: fc.constantFrom(500, 502, 503, 404),
    }),
    { nil: undefined },
  ),
})

it('T-never-twice: whatever members do, at most one of them gets it, and who did not hear so knows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 6 }), async (scripts) => {
      const named = Object.fromEntries(
        scripts.map(({ fails, ...rest }, at) => [`s${at}`, fails === undefined ? rest : { ...rest, fails }]),
      )
      const it = await run(named)
      expect(it.world.executed.length).toBeLessThanOrEqual(1)
      expect(it.outcome).toBeDefined()
      const { outcome, world } = it
      const told =
        outcome instanceof NoResponsiveMember
          ? []
          : outcome instanceof OutcomeUnknown
            ? [outcome.member]
            : world.executed
      expect(world.executed).toEqual(told)
    }),
    { numRuns: 300 },
  )
})
