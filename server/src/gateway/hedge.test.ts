import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Script, ScriptedMembers } from '../../testing/scripted-members.ts'
import type { ScriptedRun } from '../../testing/scripted-run.ts'
import { cutOff, quick, refused, runScripts, stuck } from '../../testing/scripted-run.ts'
import { gatewaySettings } from './gateway-settings.ts'
import { HedgeBudget } from './hedge-budget.ts'
import type { HedgeOptions, HedgeResult } from './hedge.ts'
import { hedge } from './hedge.ts'
import { MemberError, NoResponsiveMember } from './member-error.ts'

const settings = gatewaySettings().hedging
type Options = HedgeOptions<string>
type Run = ScriptedRun<HedgeResult<string>>

/** Runs a hedge of members that follow their scripts, for that long. */
function run(scripts: Record<string, Script>, more: Partial<Options> = {}, forMs = 20_000): Promise<Run> {
  return runScripts(
    scripts,
    (world, clock) => begin(world, clock, more),
    (clock) => clock.pass(forMs),
  )
}

function begin(world: ScriptedMembers, clock: ManualClock, more: Partial<Options> = {}): Promise<HedgeResult<string>> {
  return hedge({
    members: world.members,
    begin: world.begin,
    nobody: 'no_responsive_member',
    hedge: true,
    hedgeDelayMs: 40,
    deadlineMs: 5_000,
    settings,
    budget: new HedgeBudget(settings, clock),
    clock,
    observer: world.observer,
    ...more,
  })
}

function won({ outcome }: Run): HedgeResult<string> {
  if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('it has not ended')
  return outcome
}

describe('which answer wins', () => {
  it('the first member, when it answers in time: nobody else is asked', async () => {
    const it = await run({ a: quick, b: quick })
    expect(won(it)).toMatchObject({ value: 'answer of a', via: 'a', attempts: 1, hedged: false })
    expect(it.diary).toEqual(['0 begin a', '3 saw answer of a after 3'])
    expect(it.endedAt).toBe(3)
  })

  it('the second, when the first is silent for the hedge delay; the loser is listened to and cancelled', async () => {
    const it = await run({ a: stuck, b: quick })
    expect(won(it)).toMatchObject({ via: 'b', attempts: 2, hedged: true })
    expect(it.endedAt).toBe(43)
    expect(it.diary).toEqual([
      '0 begin a',
      '40 begin b',
      '43 saw answer of b after 3',
      '80 cancel a',
      '80 saw silence of a for 80',
    ])
  })

  it('the first, when it is only a little late', async () => {
    const it = await run({ a: { answers: 45 }, b: { answers: 20 } })
    expect(won(it)).toMatchObject({ via: 'a', attempts: 2, hedged: true })
    // The second answers within its patience: its connection is kept, and nothing is held against it.
    expect(it.diary).toEqual(['0 begin a', '40 begin b', '45 saw answer of a after 45', '60 saw answer of b after 20'])
  })

  it('the third, 200 ms after the second, in the place of the oldest', async () => {
    const it = await run({ a: stuck, b: stuck, c: quick })
    expect(won(it)).toMatchObject({ via: 'c', attempts: 3, hedged: true })
    expect(it.diary).toEqual([
      '0 begin a',
      '40 begin b',
      '240 cancel a',
      '240 begin c',
      '243 saw answer of c after 3',
      '243 saw silence of a for 240',
      '243 cancel b',
      '243 saw silence of b for 203',
    ])
    expect(it.world.mostInFlight).toBe(2)
  })

  it('never a fourth', async () => {
    const it = await run({ a: stuck, b: stuck, c: stuck, d: quick })
    expect(it.outcome).toBeInstanceOf(NoResponsiveMember)
    expect(it.outcome).toMatchObject({ code: 'deadline_exceeded', attempts: 3 })
    expect(it.endedAt).toBe(5_000)
    expect(it.world.executed).toEqual(['a', 'b', 'c'])
  })

  it('both at once, when nobody better than a suspect is left', async () => {
    const it = await run({ a: stuck, b: quick }, { hedgeDelayMs: 0 })
    expect(it.diary.slice(0, 2)).toEqual(['0 begin a', '0 begin b'])
    expect(it.endedAt).toBe(3)
  })
})

describe('a member that gives no connection', () => {
  it('that refuses costs a moment, and no token', async () => {
    const clock = new ManualClock()
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, clock)
    const it = await run({ a: refused, b: refused, c: refused, d: refused, e: quick }, { budget })
    expect(won(it)).toMatchObject({ via: 'e', attempts: 5, hedged: false })
    expect(it.endedAt).toBe(7)
  })

  it('is left for the next one after 100 ms, without a token, also where nothing is hedged', async () => {
    const clock = new ManualClock()
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, clock)
    const it = await run({ a: cutOff, b: quick }, { budget, hedge: false })
    expect(won(it)).toMatchObject({ via: 'b', attempts: 2, hedged: false })
    expect(it.diary).toEqual(['0 begin a', '100 begin b', '103 saw answer of b after 3', '103 cancel a'])
  })

  it('and no other is left: it has until the end', async () => {
    const it = await run({ a: { connects: 700, answers: 705 } })
    expect(won(it)).toMatchObject({ via: 'a', attempts: 1 })
    expect(it.endedAt).toBe(705)
  })

  it('members far away are not given up by turns', async () => {
    const far: Script = { connects: 320, answers: 480 }
    const it = await run({ a: far, b: far, c: far, d: far, e: far, f: far }, { hedge: false })
    expect(won(it).attempts).toBe(3)
    expect(it.endedAt).toBe(580)
  })
})

describe('an answer that is none', () => {
  it('404 is an answer: nobody else is asked', async () => {
    const it = await run({ a: { fails: { at: 3, kind: 'incus', status: 404, code: 'not_found' } }, b: quick })
    expect(it.outcome).toBeInstanceOf(MemberError)
    expect(it.outcome).toMatchObject({ code: 'not_found', member: 'a', attempts: 1 })
    expect(it.world.executed).toEqual(['a'])
  })

  it.each<[string, Script['fails']]>([
    ['reset', { at: 3, kind: 'reset' }],
    ['503', { at: 3, kind: 'incus', status: 503 }],
    ['no database', { at: 3, kind: 'incus', status: 500, database: true }],
    ['token refused', { at: 3, kind: 'incus', status: 401, code: 'cluster_rejected_token' }],
    ['not an answer of Incus', { at: 3, kind: 'bad-reply', status: 200 }],
  ])('%s: another member is asked at once, for a token', async (_, fails) => {
    const scripts = { a: fails === undefined ? {} : { fails }, b: quick }
    const it = await run(scripts, { hedge: false })
    expect(won(it)).toMatchObject({ via: 'b', attempts: 2, hedged: false })
    expect(won(it).failures).toHaveLength(1)
    expect(it.endedAt).toBe(6)
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, new ManualClock())
    const broke = await run(scripts, { hedge: false, budget })
    expect(broke.outcome).toBeInstanceOf(Error)
    expect(broke.world.executed).toEqual(['a'])
  })

  it('what a member said is told, when all the others are silent', async () => {
    const starting = { at: 3, kind: 'incus', status: 503, message: 'Daemon is starting up' } as const
    const it = await run({ a: { fails: starting }, b: refused, c: refused })
    expect(it.outcome).toBeInstanceOf(MemberError)
    expect(it.outcome).toMatchObject({ message: 'Daemon is starting up', attempts: 3 })
  })

  it('all refuse: nobody answers, with every failure', async () => {
    const it = await run({ a: refused, b: refused })
    expect(it.outcome).toMatchObject({ code: 'no_responsive_member', attempts: 2 })
    expect(it.outcome instanceof NoResponsiveMember && it.outcome.failures.map(({ member }) => member)).toEqual([
      'a',
      'b',
    ])
    expect(it.outcome instanceof Error && it.outcome.cause).toBeInstanceOf(MemberError)
  })

  it('all are busy', async () => {
    const busy: Script = { connects: null, fails: { at: 1_000, kind: 'busy' } }
    expect((await run({ a: busy, b: busy })).outcome).toMatchObject({ code: 'member_busy' })
  })

  it('the chosen one does not answer', async () => {
    expect((await run({ a: refused }, { nobody: 'member_unavailable' })).outcome).toMatchObject({
      code: 'member_unavailable',
    })
  })
})

describe('the budget', () => {
  it('empty: the first member is waited for', async () => {
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, new ManualClock())
    const it = await run({ a: { answers: 900 }, b: quick }, { budget })
    expect(won(it)).toMatchObject({ via: 'a', attempts: 1, hedged: false })
    expect(it.endedAt).toBe(900)
  })

  it('a member that probes found silent is left without a token', async () => {
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, new ManualClock())
    const it = await run(
      { a: { fails: { at: 900, kind: 'timed-out', abandoned: true } }, b: quick },
      { budget, hedge: false },
    )
    expect(won(it)).toMatchObject({ via: 'b', attempts: 2 })
    expect(it.endedAt).toBe(903)
  })

  it('a connection that fails after the next member was asked is no reason to ask a third for nothing', async () => {
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, new ManualClock())
    const it = await run({ a: cutOff, b: stuck, c: quick }, { budget })
    expect(it.outcome).toMatchObject({ code: 'deadline_exceeded', attempts: 2 })
    expect(it.world.executed).toEqual(['b'])
  })

  it('a connection that nobody gives lets one other member be asked for nothing, even if that one fails', async () => {
    const budget = new HedgeBudget({ ...settings, budgetCapacity: 0 }, new ManualClock())
    const failing: Script = { fails: { at: 5, kind: 'incus', status: 503 } }
    const it = await run({ a: cutOff, b: failing, c: quick }, { budget })
    expect(it.outcome).toBeInstanceOf(MemberError)
    expect(it.world.executed).toEqual(['b'])
  })

  it('holds fifty, gains a tenth with each request and two with each second', async () => {
    const clock = new ManualClock()
    const budget = new HedgeBudget(settings, clock)
    const taken = (): number => {
      let count = 0
      while (budget.take()) count += 1
      return count
    }
    expect(taken()).toBe(50)
    for (let request = 0; request < 25; request++) budget.request()
    expect(taken()).toBe(2)
    await clock.pass(1_000)
    expect(taken()).toBe(2)
    await clock.pass(3_600_000)
    expect(taken()).toBe(50)
  })
})

describe('the end', () => {
  it('the deadline is for everything together', async () => {
    const it = await run({ a: stuck, b: stuck }, { deadlineMs: 300 })
    expect(it.outcome).toMatchObject({ code: 'deadline_exceeded', attempts: 2 })
    expect(it.endedAt).toBe(300)
    expect(it.diary.slice(-4)).toEqual([
      '300 saw timed-out of a',
      '300 saw timed-out of b',
      '300 cancel a',
      '300 cancel b',
    ])
  })

  it('the browser has gone: everything is cancelled and nothing is held against anybody', async () => {
    const gone = new AbortController()
    const { outcome, diary } = await runScripts(
      { a: stuck, b: stuck },
      (world, clock) => begin(world, clock, { signal: gone.signal }),
      async (clock) => {
        await clock.pass(60)
        gone.abort()
        await clock.pass(1_000)
      },
    )
    expect(outcome).toMatchObject({ kind: 'cancelled' })
    expect(diary).toEqual(['0 begin a', '40 begin b', '60 cancel a', '60 cancel b'])
  })

  it('a browser that was gone before asks nobody', async () => {
    const it = await run({ a: quick }, { signal: AbortSignal.abort() })
    expect(it.outcome).toMatchObject({ kind: 'cancelled' })
    expect(it.diary).toEqual([])
  })
})

const script = fc.record({
  connects: fc.option(fc.integer({ min: 0, max: 500 })),
  answers: fc.option(fc.integer({ min: 1, max: 3_000 })),
  fails: fc.option(
    fc.record({
      at: fc.integer({ min: 1, max: 1_500 }),
      kind: fc.constantFrom(
        'refused' as const,
        'reset' as const,
        'timed-out' as const,
        'incus' as const,
        'busy' as const,
      ),
      status: fc.constantFrom(500, 503, 404),
    }),
    { nil: undefined },
  ),
})

it('whatever members do: it ends in time, with at most two attempts under way and nobody asked twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 6 }), fc.boolean(), async (scripts, hedging) => {
      const named = Object.fromEntries(
        scripts.map(({ fails, ...rest }, at) => [`s${at}`, fails === undefined ? rest : { ...rest, fails }]),
      )
      const it = await run(named, { hedge: hedging }, 6_000)
      expect(it.outcome).toBeDefined()
      expect(it.endedAt).toBeLessThanOrEqual(5_000)
      expect(it.world.mostInFlight).toBeLessThanOrEqual(2)
      expect(new Set(it.world.executed).size).toBe(it.world.executed.length)
      const won = it.outcome instanceof Error ? null : it.outcome
      expect(won?.value).toBe(won === null ? undefined : `answer of ${won?.via}`)
    }),
    { numRuns: 150 },
  )
})
