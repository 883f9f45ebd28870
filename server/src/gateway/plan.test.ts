import type { Standing } from '@malleus/shared/domain/health.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KnownMember } from '../clusters/member-directory.ts'
import type { Believed, Plan, PlanInput } from './plan.ts'
import { planAttempts } from './plan.ts'
import type { RequestClass } from './request.ts'

const any: Target = { kind: 'any' }

function known(name: string, more: Partial<KnownMember> = {}): KnownMember {
  return { name, endpoint: { host: '10.0.0.1', port: 8443 }, groups: [], contacted: true, why: null, ...more }
}

const shareOf: Readonly<Record<Standing, number>> = {
  healthy: 1,
  probation: 0.1,
  unknown: 1,
  suspect: 0,
  degraded: 0,
  ejected: 0,
  untrusted: 0,
}

/** Members called after their standing, and the lot that each of them draws, in that order. */
function plan(standings: Standing[], more: Partial<PlanInput> = {}, lots: number[] = []): Plan {
  const draws = [...lots]
  return planAttempts({
    target: any,
    class: 'read',
    answerer: null,
    databaseIsLost: false,
    members: standings.map((standing, at) => known(`${standing}${at}`)),
    believed: (name) => believe(name.replace(/\d+$/, '') as Standing),
    usable: () => true,
    panic: false,
    fraction: () => draws.shift() ?? 0.5,
    ...more,
  })
}

function believe(standing: Standing): Believed {
  return { standing, share: shareOf[standing] }
}

function namesOf(plan: Plan): string[] {
  return plan.kind === 'attempts' ? plan.members.map(({ name }) => name) : []
}

describe('the order', () => {
  it.each<[string, Standing[], number[], string[]]>([
    [
      'healthy members in the order of their lots',
      ['healthy', 'healthy', 'healthy'],
      [0.2, 0.9, 0.5],
      ['healthy1', 'healthy2', 'healthy0'],
    ],
    [
      'a suspect after the healthy ones',
      ['suspect', 'healthy', 'healthy'],
      [0.99, 0.1, 0.2],
      ['healthy2', 'healthy1', 'suspect0'],
    ],
    ['what is not measured after what is healthy', ['unknown', 'healthy'], [0.9, 0.1], ['healthy1', 'unknown0']],
    ['without a database after those in doubt', ['degraded', 'suspect'], [0.9, 0.1], ['suspect1', 'degraded0']],
    [
      'ejected ones last, but there',
      ['ejected', 'degraded', 'suspect', 'unknown', 'healthy'],
      [],
      ['healthy4', 'unknown3', 'suspect2', 'degraded1', 'ejected0'],
    ],
    ['never what is untrusted', ['untrusted', 'ejected'], [], ['ejected1']],
    ['all ejected: all of them', ['ejected', 'ejected'], [0.1, 0.2], ['ejected1', 'ejected0']],
  ])('%s', (_, standings, lots, expected) => {
    expect(namesOf(plan(standings, {}, lots))).toEqual(expected)
  })

  it('a member that proves itself comes first about as often as its share says', () => {
    let seed = 1
    const fraction = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    let first = 0
    const rounds = 20_000
    for (let round = 0; round < rounds; round++) {
      if (namesOf(plan(['healthy', 'healthy', 'probation'], { fraction }))[0] === 'probation2') first += 1
    }
    // 0.1 of 2.1 turns.
    expect(first / rounds).toBeGreaterThan(0.03)
    expect(first / rounds).toBeLessThan(0.07)
  })

  it('a member that may not prove itself yet stays behind the healthy ones', () => {
    const held = (name: string): Believed =>
      name.startsWith('probation') ? { standing: 'probation', share: 0 } : believe('healthy')
    for (let lot = 0; lot < 1; lot += 0.1) {
      expect(namesOf(plan(['probation', 'healthy'], { believed: held }, [1 - lot, lot]))).toEqual([
        'healthy1',
        'probation0',
      ])
    }
  })

  it('healthy members take equal turns', () => {
    let seed = 7
    const fraction = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    const firsts = new Map<string, number>()
    for (let round = 0; round < 9_000; round++) {
      const [first = ''] = namesOf(plan(['healthy', 'healthy', 'healthy'], { fraction }))
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    for (const count of firsts.values()) expect(Math.abs(count - 3_000)).toBeLessThan(300)
  })
})

describe('who may be asked', () => {
  it('not a member outside of the networks', () => {
    const members = [known('healthy0', { contacted: false, why: 'outside' }), known('healthy1')]
    expect(namesOf(plan([], { members }))).toEqual(['healthy1'])
  })

  it('not a member that cannot check the credentials', () => {
    expect(namesOf(plan(['healthy', 'healthy'], { usable: (name) => name !== 'healthy0' }))).toEqual(['healthy1'])
  })

  it('only members of the chosen group', () => {
    const members = [
      known('healthy0', { groups: ['edge'] }),
      known('healthy1'),
      known('ejected2', { groups: ['edge'] }),
    ]
    expect(namesOf(plan([], { members, target: { kind: 'group', name: 'edge' } }))).toEqual(['healthy0', 'ejected2'])
  })

  it('only the chosen member', () => {
    expect(namesOf(plan(['healthy', 'healthy'], { target: { kind: 'member', name: 'healthy1' } }))).toEqual([
      'healthy1',
    ])
  })
})

describe('when there is nobody to ask', () => {
  const chosen = (name: string): Target => ({ kind: 'member', name })
  const nobody = (standings: Standing[], more: Partial<PlanInput>) => {
    const result = plan(standings, more)
    if (result.kind !== 'nobody') throw new Error('there is somebody')
    return result
  }

  it.each<[string, Standing[], Partial<PlanInput>, string, RegExp]>([
    ['no member is known', [], {}, 'no_responsive_member', /no server that is known/],
    [
      'the member does not exist',
      ['healthy'],
      { target: chosen('server9') },
      'member_unavailable',
      /no server called server9/,
    ],
    [
      'the group is empty',
      ['healthy'],
      { target: { kind: 'group', name: 'edge' } },
      'no_responsive_member',
      /group edge/,
    ],
    [
      'the member is ejected',
      ['ejected', 'healthy'],
      { target: chosen('ejected0') },
      'member_unavailable',
      /does not answer/,
    ],
    [
      'the member is untrusted',
      ['untrusted', 'healthy'],
      { target: chosen('untrusted0') },
      'member_unavailable',
      /certificate/,
    ],
    ['all are untrusted', ['untrusted'], {}, 'no_responsive_member', /no server may be sent/],
    [
      'none has OpenID Connect',
      ['healthy', 'ejected', 'untrusted'],
      { usable: () => false },
      'sign_in_not_checked',
      /no server of the cluster can check who is signed in/,
    ],
    [
      'none of those that are contacted has OpenID Connect',
      [],
      { usable: () => false, members: [known('healthy0'), known('healthy1', { contacted: false, why: 'outside' })] },
      'sign_in_not_checked',
      /no server of the cluster can check/,
    ],
    [
      'none is contacted',
      [],
      { usable: () => false, members: [known('healthy0', { contacted: false, why: 'outside' })] },
      'no_responsive_member',
      /no server may be sent/,
    ],
    [
      'the only one that has OpenID Connect is untrusted',
      ['healthy', 'untrusted'],
      { usable: (name) => name === 'untrusted1' },
      'no_responsive_member',
      /no server may be sent/,
    ],
    [
      'the member has no OpenID Connect',
      ['healthy'],
      { target: chosen('healthy0'), usable: () => false },
      'member_unavailable',
      /OpenID Connect/,
    ],
    [
      'the member is not contacted',
      [],
      { target: chosen('s'), members: [known('s', { contacted: false, why: 'It is outside of memberNetworks.' })] },
      'member_unavailable',
      /outside of memberNetworks/,
    ],
  ])('%s', (_, standings, more, code, why) => {
    const { code: saidCode, why: saidWhy } = nobody(standings, more)
    expect(saidCode).toBe(code)
    expect(saidWhy).toMatch(why)
  })

  it('an ejected member that was chosen is tried in panic', () => {
    expect(namesOf(plan(['ejected'], { target: chosen('ejected0'), panic: true }))).toEqual(['ejected0'])
  })
})

describe('a question that is passed on to one member', () => {
  const on = (name: string) => ({ answerer: { name } })
  const to = (name: string) => ({ target: { kind: 'member', name } as const })
  const edge = { target: { kind: 'group', name: 'edge' } } as const
  const mixed = [known('healthy0', { groups: ['edge'] }), known('healthy1'), known('ejected2')]

  it.each<[string, Standing[], Partial<PlanInput>, string]>([
    ['that answers is put to it', ['healthy', 'healthy'], on('healthy1'), 'healthy1'],
    ['that proves itself is put to it', ['healthy', 'probation'], on('probation1'), 'probation1'],
    ['in doubt is put to it, and nobody else waits', ['healthy', 'suspect'], on('suspect1'), 'suspect1'],
    ['without its database is put to it', ['healthy', 'degraded'], on('degraded1'), 'degraded1'],
    ['that is not measured yet is put to it', ['healthy', 'unknown'], on('unknown1'), 'unknown1'],
    ['that is out is answered at once', ['healthy', 'ejected'], on('ejected1'), 'member_unavailable'],
    ['that is out is tried in panic', ['ejected', 'ejected'], { ...on('ejected1'), panic: true }, 'ejected1'],
    ['with a strange certificate is put to nobody', ['healthy', 'untrusted'], on('untrusted1'), 'member_unavailable'],
    [
      'outside of our networks comes through others',
      [],
      { ...on('far'), members: [...mixed, known('far', { contacted: false, why: 'outside' })] },
      'healthy0 healthy1 ejected2',
    ],
    [
      'that cannot check who asks comes through others',
      ['healthy', 'healthy'],
      { ...on('healthy1'), usable: (name: string) => name === 'healthy0' },
      'healthy0',
    ],
    ['that is not known comes through others', ['healthy', 'healthy'], on('server9'), 'healthy0 healthy1'],
    ['that nobody knows comes through any', ['healthy', 'healthy'], { answerer: 'unknown' }, 'healthy0 healthy1'],
    ['through a chosen one enters there', ['healthy', 'healthy'], { ...on('healthy1'), ...to('healthy0') }, 'healthy0'],
    [
      'through a chosen one, and is out',
      ['healthy', 'ejected'],
      { ...on('ejected1'), ...to('healthy0') },
      'member_unavailable',
    ],
    [
      'through a chosen one that is out',
      ['ejected', 'healthy'],
      { ...on('healthy1'), ...to('ejected0') },
      'member_unavailable',
    ],
    ['of the chosen group is put to it', [], { ...on('healthy0'), ...edge, members: mixed }, 'healthy0'],
    [
      'beside the chosen group enters through the group',
      [],
      { ...on('healthy1'), ...edge, members: mixed },
      'healthy0',
    ],
    ['beside the chosen group, and is out', [], { ...on('ejected2'), ...edge, members: mixed }, 'member_unavailable'],
  ])('%s', (_, standings, more, expected) => {
    const result = plan(standings, more)
    expect(result.kind === 'nobody' ? result.code : namesOf(result).join(' ')).toBe(expected)
    expect(result.kind === 'attempts' && result.hedge).toBe(false)
  })

  it('is called by its name when it fails, and not the whole cluster', () => {
    const result = plan(['healthy', 'healthy'], on('healthy1'))
    expect(result).toMatchObject({ nobody: 'member_unavailable' })
    expect(plan(['healthy', 'healthy'])).toMatchObject({ nobody: 'no_responsive_member' })
  })
})

describe('a second member is asked before the first has failed', () => {
  const hedges = (more: Partial<PlanInput>, standings: Standing[] = ['healthy', 'healthy']): boolean => {
    const result = plan(standings, more)
    return result.kind === 'attempts' && result.hedge
  }

  it.each<[RequestClass, boolean]>([
    ['read', true],
    ['list', false],
    ['longpoll', false],
    ['stream', false],
    ['download', false],
    ['upload', false],
    ['mutate', false],
  ])('%s: %s', (requestClass, expected) => {
    expect(hedges({ class: requestClass })).toBe(expected)
  })

  it('not in panic', () => {
    expect(hedges({ panic: true })).toBe(false)
  })

  it('not while everybody waits for the cluster database', () => {
    expect(hedges({ databaseIsLost: true })).toBe(false)
  })

  it('not when one was chosen', () => {
    expect(hedges({ target: { kind: 'member', name: 'healthy0' } })).toBe(false)
  })

  it('at once when nobody better than a suspect is left', () => {
    const doubtful = (standings: Standing[]): boolean => {
      const result = plan(standings)
      return result.kind === 'attempts' && result.doubtful
    }
    expect(doubtful(['healthy', 'suspect'])).toBe(false)
    expect(doubtful(['unknown', 'suspect'])).toBe(false)
    expect(doubtful(['suspect', 'ejected'])).toBe(true)
    expect(doubtful(['degraded', 'ejected'])).toBe(true)
    expect(doubtful(['ejected'])).toBe(true)
  })
})

it('whatever is believed, everybody who may be asked is asked once, and nobody else', () => {
  const standing = fc.constantFrom<Standing>(
    'healthy',
    'probation',
    'unknown',
    'suspect',
    'degraded',
    'ejected',
    'untrusted',
  )
  fc.assert(
    fc.property(
      fc.array(standing, { maxLength: 12 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (all, lots) => {
        const asked = namesOf(plan(all, {}, lots))
        const expected = all.flatMap((each, at) => (each === 'untrusted' ? [] : [`${each}${at}`]))
        expect(asked.toSorted()).toEqual(expected.toSorted())
      },
    ),
  )
})
