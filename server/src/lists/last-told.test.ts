import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemberError } from '../gateway/member-error.ts'
import { LastTold } from './last-told.ts'

const began = '2026-01-01T00:00:00.000Z'
const why = 'The cluster database does not answer.'

/** People ask something that is answered by hand. */
function setUp() {
  const clock = new ManualClock()
  const lost = { why: null as string | null }
  const told = new LastTold<string>({ loss: () => lost.why, clock })
  const asked: PromiseWithResolvers<string>[] = []
  const look = (authority = 'jo', way = 'any') =>
    told.read(authority, way, () => {
      const question = Promise.withResolvers<string>()
      asked.push(question)
      return question.promise
    })
  /** Looks, and is answered after a while. */
  const hear = async (value: string | Error, afterMs = 0, authority = 'jo') => {
    const looking = look(authority).catch((error: unknown) => error)
    const question = asked.at(-1)
    clock.after(afterMs, () => (value instanceof Error ? question?.reject(value) : question?.resolve(value)))
    await clock.pass(Math.max(afterMs, 200))
    return looking
  }
  return { clock, lost, told, asked, look, hear }
}

describe('what somebody is told', () => {
  it('is fresh where it comes within a fifth of a second, as of when it was asked', async () => {
    const { hear } = setUp()
    expect(await hear('a', 199)).toEqual({ value: 'a', freshness: { kind: 'fresh', asOf: began } })
  })

  it('is asked anew whenever they look', async () => {
    const { hear } = setUp()
    await hear('a')
    expect(await hear('b')).toMatchObject({ value: 'b', freshness: { kind: 'fresh' } })
  })

  it('is what they were told before where it comes later, and the late answer is there for the next', async () => {
    const { hear, look, clock } = setUp()
    await hear('a')
    const reason = 'The cluster did not answer within 200 ms.'
    expect(await hear('b', 900)).toEqual({ value: 'a', freshness: { kind: 'stale', asOf: began, reason } })
    const looking = look()
    await clock.pass(200)
    const asOf = '2026-01-01T00:00:00.200Z'
    expect(await looking).toEqual({ value: 'b', freshness: { kind: 'stale', asOf, reason } })
  })

  it('is that they were told nothing before, and why, where nothing comes', async () => {
    const { hear } = setUp()
    const freshness = { kind: 'unavailable', reason: 'no server answers.' }
    expect(await hear(new Error('no server answers'))).toEqual({ value: null, freshness })
  })

  it('is never what another was told', async () => {
    const { hear } = setUp()
    await hear('a')
    expect(await hear(new Error('nobody'), 0, 'kim')).toMatchObject({ value: null })
  })

  it('is what they were told through whomever, and who hangs keeps them from nobody else', async () => {
    const { hear, look, clock, asked } = setUp()
    await hear('a')
    void look('jo', 'server1')
    await clock.pass(200)
    expect(await look('jo', 'server1')).toMatchObject({ value: 'a', freshness: { kind: 'stale' } })
    expect(asked).toHaveLength(2)
    void look('jo', 'server2')
    expect(asked).toHaveLength(3)
  })

  it('is forgotten of those who have not looked for longest, when they are many', async () => {
    const { hear } = setUp()
    for (let at = 0; at <= 200; at += 1) await hear('a', 0, `person ${at}`)
    expect(await hear(new Error('nobody'), 0, 'person 1')).toMatchObject({ value: 'a' })
    expect(await hear(new Error('nobody'), 0, 'person 0')).toMatchObject({ value: null })
  })
})

describe('while it is known that nobody answers', () => {
  it('nobody waits, and everything is as it was last told because of that', async () => {
    const { hear, look, lost, clock } = setUp()
    await hear('a')
    lost.why = why
    const looking = [look(), look('kim')]
    await clock.pass(1)
    expect(await Promise.all(looking)).toEqual([
      { value: 'a', freshness: { kind: 'stale', asOf: began, reason: why } },
      {
        value: null,
        freshness: {
          kind: 'unavailable',
          reason: `${why} It had not told you before, or this console was started since.`,
        },
      },
    ])
  })

  it('somebody asks once a second, and at once when somebody answers again', async () => {
    const { look, hear, lost, clock, asked } = setUp()
    lost.why = why
    for (let turn = 0; turn < 20; turn += 1) {
      const looking = look()
      await clock.pass(100)
      await looking
    }
    expect(asked).toHaveLength(2)
    lost.why = null
    expect(await hear('a')).toMatchObject({ value: 'a', freshness: { kind: 'fresh' } })
  })
})

describe('what somebody changed', () => {
  it('shows at the next look, whatever is still waited for', async () => {
    const { hear, look, told, clock, asked } = setUp()
    await hear('before')
    const looking = look()
    told.changed()
    await clock.pass(200)
    await looking
    expect(await hear('after')).toMatchObject({ value: 'after', freshness: { kind: 'fresh' } })
    expect(asked).toHaveLength(3)
  })

  it('is not overtaken by what was asked before it', async () => {
    const { hear, look, told, clock, asked } = setUp()
    const looking = look()
    await clock.pass(200)
    await looking
    told.changed()
    await hear('after')
    asked[0]?.resolve('before')
    await clock.pass(0)
    expect(await hear(new Error('nobody'))).toMatchObject({ value: 'after' })
  })

  it('is never hidden behind what was before as if that were so still', async () => {
    const { hear, told } = setUp()
    await hear('before')
    told.changed()
    expect(await hear('after', 500)).toMatchObject({ value: 'before', freshness: { kind: 'stale', asOf: began } })
  })
})

describe('whom Incus refuses', () => {
  it.each([401, 403])('is told so with %i, and is not shown what they were allowed before', async (status) => {
    const { hear } = setUp()
    await hear('a')
    const refused = refusal(status)
    expect(await hear(refused)).toBe(refused)
    expect(await hear(new Error('nobody'))).toMatchObject({ value: null, freshness: { kind: 'unavailable' } })
  })

  it('is not shown it either when the refusal was late, or overtook an answer', async () => {
    const { hear, look, clock, asked } = setUp()
    await hear('a')
    const looking = look()
    await clock.pass(200)
    await looking
    await clock.pass(1_000)
    await hear(refusal(403), 300)
    asked[1]?.resolve('a')
    await clock.pass(1_000)
    expect(await hear(new Error('nobody'))).toMatchObject({ value: null })
  })
})

function refusal(status: number): MemberError {
  const [kind, phase] = ['incus', 'answer'] as const
  return new MemberError({ kind, member: 'server1', phase, sent: true, status, message: 'no' })
}
