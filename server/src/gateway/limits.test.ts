import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { gatewaySettings } from './gateway-settings.ts'
import type { LimitKind, Place } from './limits.ts'
import { MemberLimits } from './limits.ts'
import type { MemberError } from './member-error.ts'

function world(panic = false) {
  const clock = new ManualClock()
  const limits = new MemberLimits(gatewaySettings().limits, clock, () => panic)
  const entered: string[] = []
  const refused: MemberError[] = []
  const enter = (name: string, kind: LimitKind = 'read', member = 'server1'): Place =>
    limits.enter(
      member,
      kind,
      () => entered.push(name),
      (error) => refused.push(error),
    )
  const fill = (count: number, kind: LimitKind = 'read'): Place[] =>
    Array.from({ length: count }, (_, at) => enter(`${kind}${at}`, kind))
  return { clock, limits, entered, refused, enter, fill }
}

describe('one member has at most', () => {
  it.each<[LimitKind, number]>([
    ['read', 64],
    ['list', 8],
    ['mutate', 16],
    ['stream', 64],
  ])('of the kind %s: %d', (kind, most) => {
    const { fill, entered, limits } = world()
    fill(most + 1, kind)
    expect(entered).toHaveLength(most)
    expect(limits.taken('server1', kind)).toBe(most)
  })

  it('half of it in panic', () => {
    const { fill, entered } = world(true)
    fill(64)
    expect(entered).toHaveLength(32)
  })

  it('and the other kinds and members are not touched', () => {
    const { fill, enter, entered } = world()
    fill(65)
    enter('change', 'mutate')
    enter('elsewhere', 'read', 'server2')
    expect(entered.slice(-2)).toEqual(['change', 'elsewhere'])
  })
})

it('how much is in use is told for each member and kind', () => {
  const { fill, enter, limits } = world()
  fill(64)
  enter('late')
  enter('change', 'mutate', 'server2')
  expect(limits.load()).toEqual([
    { member: 'server1', kind: 'read', taken: 64, waiting: 1, most: 64 },
    { member: 'server2', kind: 'mutate', taken: 1, waiting: 0, most: 16 },
  ])
})

describe('who does not fit', () => {
  it('waits, and is let in, first come first served', () => {
    const { fill, enter, entered } = world()
    const [first, second] = fill(64)
    enter('early')
    enter('late')
    first?.leave()
    expect(entered.slice(64)).toEqual(['early'])
    second?.leave()
    expect(entered.slice(64)).toEqual(['early', 'late'])
  })

  it('is refused after a second, once', async () => {
    const { fill, enter, entered, refused, clock } = world()
    const [first] = fill(64)
    enter('waiting')
    await clock.pass(999)
    expect(refused).toEqual([])
    await clock.pass(1)
    expect(refused).toHaveLength(1)
    expect(refused[0]).toMatchObject({ kind: 'busy', code: 'member_busy', sent: false })
    first?.leave()
    expect(entered).toHaveLength(64)
  })

  it('is refused at once when 128 wait, of whatever kind', () => {
    const { fill, enter, refused } = world()
    fill(64 + 100)
    fill(16 + 28, 'mutate')
    expect(refused).toEqual([])
    enter('one too many')
    expect(refused).toHaveLength(1)
  })

  it('may stop waiting, and is then never called', async () => {
    const { fill, enter, entered, refused, clock } = world()
    const [first] = fill(64)
    enter('gone').leave()
    enter('there')
    first?.leave()
    await clock.pass(2_000)
    expect(entered.slice(64)).toEqual(['there'])
    expect(refused).toEqual([])
  })
})

it('a place is given up only once', () => {
  const { fill, limits } = world()
  const [first] = fill(2)
  first?.leave()
  first?.leave()
  expect(limits.taken('server1', 'read')).toBe(1)
})

it('who was let in from the queue gives up its place too', () => {
  const { fill, enter, limits } = world()
  const places = fill(64)
  const waiting = enter('waiting')
  for (const place of places) place.leave()
  waiting.leave()
  waiting.leave()
  expect(limits.taken('server1', 'read')).toBe(0)
})
