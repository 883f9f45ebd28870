import { IncusMembers } from '@malleus/shared/incus/member.ts'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer, ReadRequest } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import { ReportedByCluster } from './reported-by-cluster.ts'

const rows = IncusMembers.parse([{ server_name: 'server1', status: 'Online', message: 'Fully operational' }])
const person = (sub: string): Scope => ({ kind: 'bearer', iss: 'i', sub, accessToken: () => Promise.resolve('t') })
const ofRole: Scope = { kind: 'certificate', key: 'viewer', projects: 'all' }

type How = 'answers' | 'refuses' | 'fails' | 'hangs'

/** The console itself has read the list before. */
function setUp() {
  const clock = new ManualClock()
  const reported = new ReportedMembers()
  reported.note(rows, clock.now())
  let how: How = 'answers'
  let late = 0
  let asked = 0
  let isDatabaseLost = false
  const gateway = {
    read: async <Parsed>({ parse }: ReadRequest<Parsed>): Promise<Answer<Parsed>> => {
      asked += 1
      if (how === 'hangs') await new Promise(() => {})
      if (late > 0) await new Promise<void>((resolve) => clock.after(late, resolve))
      if (how === 'refuses') throw refusal()
      if (how === 'fails') throw silence()
      return { value: parse.parse(rows), operation: null, etag: null, via: 'server1', attempts: 1, hedged: false }
    },
  }
  const reportedByCluster = new ReportedByCluster({
    gateway,
    reported,
    isDatabaseLost: () => isDatabaseLost,
    learn: () => {},
    clock,
  })
  const look = (scope: Scope) => reportedByCluster.read({ scope, target: { kind: 'any' } })
  const lose = (isLost = true) => {
    isDatabaseLost = isLost
    how = isLost ? 'hangs' : 'answers'
  }
  const read = async (scope: Scope, becomes: How, afterMs = 0) => {
    how = becomes
    late = afterMs
    const answer = reportedByCluster.read({ scope, target: { kind: 'any' } }).then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof MemberError ? error.status : error),
    )
    await clock.pass(500)
    return answer
  }
  return { read, look, lose, clock, asked: () => asked }
}

describe('what the cluster reports while it does not answer', () => {
  it('is what the person was told last', async () => {
    const { read } = setUp()
    expect(await read(person('jo'), 'answers')).toBe('fresh')
    expect(await read(person('jo'), 'hangs')).toBe('stale')
    expect(await read(person('jo'), 'fails')).toBe('stale')
  })

  it.each(['hangs', 'fails'] as const)('is nothing that another was told, when it %s', async (how) => {
    const { read } = setUp()
    await read(person('jo'), 'answers')
    expect(await read(person('kim'), how)).toBe('unavailable')
  })

  it('is what the console read, where its certificate carries the request', async () => {
    const { read } = setUp()
    expect(await read(ofRole, 'hangs')).toBe('stale')
  })
})

describe('while the cluster database is known to be lost', () => {
  it('nobody waits, and what was told before is said to be old because of it', async () => {
    const { read, look, lose, clock } = setUp()
    await read(person('jo'), 'answers')
    lose()
    const [jo, kim] = [look(person('jo')), look(person('kim'))]
    await clock.pass(1)
    expect(await jo).toMatchObject({ kind: 'stale', reason: 'The cluster database does not answer.' })
    expect(await kim).toEqual({
      kind: 'unavailable',
      reason: 'The cluster database does not answer. It had not told you before, or this console was started since.',
    })
  })

  it('asks once a second for each person, however often they look, and is fresh when it is back', async () => {
    const { look, lose, clock, asked } = setUp()
    lose()
    for (let turn = 0; turn < 20; turn += 1) {
      const looking = look(person('jo'))
      await clock.pass(100)
      await looking
    }
    expect(asked()).toBe(2)
    lose(false)
    const looking = look(person('jo'))
    await clock.pass(1)
    expect((await looking).kind).toBe('fresh')
  })
})

it('a person waits for a fifth of a second, and whoever looks again meanwhile for nothing', async () => {
  const { read, look, clock } = setUp()
  await read(person('jo'), 'answers')
  void read(person('jo'), 'hangs')
  await clock.pass(200)
  expect(await look(person('jo'))).toMatchObject({
    kind: 'stale',
    reason: 'The cluster did not answer within 200 ms.',
  })
})

describe('whom Incus refuses', () => {
  it('is told so', async () => {
    const { read } = setUp()
    expect(await read(person('jo'), 'refuses')).toBe(403)
  })

  it('is not shown what they were allowed before, however late the refusal was', async () => {
    const { read } = setUp()
    await read(person('jo'), 'answers')
    expect(await read(person('jo'), 'refuses', 300)).toBe('stale')
    expect(await read(person('jo'), 'hangs')).toBe('unavailable')
  })
})

function refusal(): MemberError {
  const [kind, phase] = ['incus', 'answer'] as const
  return new MemberError({ kind, member: 'server1', phase, sent: true, status: 403, message: 'Forbidden' })
}

function silence(): MemberError {
  const [kind, phase] = ['timed-out', 'answer'] as const
  return new MemberError({ kind, member: 'server1', phase, sent: true, message: 'server1 does not answer' })
}
