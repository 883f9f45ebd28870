import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemberError } from '../gateway/member-error.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import type { AnsweredRow } from './known-list.ts'
import { KeptList } from './kept-list.ts'

type Row = string
const told = (key: string, state = 'Running'): AnsweredRow<Row> => ({
  key,
  member: 'server1',
  row: `${key} ${state}`,
  told: true,
})

/** A list whose questions are answered by hand. */
function setUp({ isTold = true } = {}) {
  const clock = new ManualClock()
  const asked = { whole: [] as PromiseWithResolvers<readonly AnsweredRow<Row>[]>[], names: 0, one: [] as string[] }
  const cluster = {
    names: (): Promise<string[]> => Promise.resolve(['a', 'b']),
    one: (key: string) => told(key, 'Stopped') as AnsweredRow<Row> | null,
  }
  const silent = new Map<string, string>()
  const lost = { why: null as string | null }
  const list = new KeptList<Row>({
    source: {
      whole: async () => {
        const question = Promise.withResolvers<readonly AnsweredRow<Row>[]>()
        asked.whole.push(question)
        return {
          value: await question.promise,
          operation: null,
          etag: null,
          via: 'server1',
          attempts: 1,
          hedged: false,
        }
      },
      names: async () => {
        asked.names += 1
        return (await cluster.names()).map((key) => ({ key, member: '', row: key }))
      },
      one: async (key) => {
        asked.one.push(key)
        return cluster.one(key)
      },
    },
    kind: { same: (a, b) => a === b, keep: (before) => before },
    silence: (member) => silent.get(member) ?? null,
    loss: () => lost.why,
    members: () => ['server1', 'server2'],
    isTold: () => isTold,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  let published = 0
  list.subscribe(() => (published += 1))
  const rows = async (since?: string) => (await list.view(since)).rows.map(({ row }) => row)
  const answer = async (...answered: readonly AnsweredRow<Row>[]) => {
    asked.whole.at(-1)?.resolve(answered)
    await clock.pass(0)
  }
  const fail = async (error: unknown) => {
    asked.whole.at(-1)?.reject(error)
    await clock.pass(0)
  }
  /** As somebody who has looked at it already. */
  const looked = async (...answered: readonly AnsweredRow<Row>[]) => {
    const first = list.view(undefined)
    await clock.pass(0)
    await answer(...answered)
    return first
  }
  return { clock, list, asked, cluster, silent, lost, rows, answer, fail, looked, published: () => published }
}

const refusal = new MemberError({
  kind: 'incus',
  member: 'server1',
  phase: 'answer',
  sent: true,
  status: 403,
  message: 'no',
})

describe('the first look', () => {
  it('waits for a whole list that comes in time', async () => {
    const { looked } = setUp()
    const view = await looked(told('a'))
    expect(view.rows.map(({ row }) => row)).toEqual(['a Running'])
    expect(view.answer).toMatchObject({ via: 'server1' })
    expect(view.members).toEqual([
      { name: 'server1', count: 1, freshness: { kind: 'fresh', asOf: '2026-01-01T00:00:00.000Z' } },
      { name: 'server2', count: 0, freshness: { kind: 'fresh', asOf: '2026-01-01T00:00:00.000Z' } },
    ])
  })

  it('is answered with names after a fifth of a second while Incus waits for a member', async () => {
    const { list, clock } = setUp()
    const first = list.view(undefined)
    await clock.pass(199)
    await expect(Promise.race([first, Promise.resolve('not yet')])).resolves.toBe('not yet')
    await clock.pass(1)
    const view = await first
    expect(view.rows.map(({ row }) => row)).toEqual(['a', 'b'])
    expect(view.freshness.kind).toBe('fresh')
    expect(view.members.map(({ freshness }) => freshness.kind)).toEqual(['unavailable', 'unavailable'])
  })

  it('says what is missing where not even the database answers', async () => {
    const { list, clock, cluster } = setUp()
    cluster.names = () => new Promise(() => {})
    const first = list.view(undefined)
    await clock.pass(200)
    expect(await first).toMatchObject({ rows: [], freshness: { kind: 'unavailable' } })
  })

  it('gets names also where the list fails at once', async () => {
    const { list, clock, fail } = setUp()
    const first = list.view(undefined)
    await clock.pass(0)
    await fail(new Error('server1 closed the connection'))
    expect(await first).toMatchObject({
      rows: [{ row: 'a' }, { row: 'b' }],
      freshness: { kind: 'stale', reason: 'server1 closed the connection.' },
    })
  })

  it('is refused where Incus refuses, and so are the next, with nothing of before', async () => {
    const { list, clock, fail, looked, answer, rows } = setUp()
    await looked(told('a'))
    await clock.pass(60_000)
    await rows()
    await clock.pass(0)
    await fail(refusal)
    await expect(list.view(undefined)).rejects.toBe(refusal)
    await clock.pass(5_000)
    const again = list.view(undefined)
    await clock.pass(0)
    await answer(told('a'))
    expect((await again).rows).toHaveLength(1)
  })
})

describe('while nothing can be read at all', () => {
  const why = 'The cluster database does not answer.'

  it('nobody waits for a first look, which says so', async () => {
    const { list, clock, lost, cluster } = setUp()
    lost.why = why
    cluster.names = () => new Promise(() => {})
    const first = list.view(undefined)
    await clock.pass(1)
    const reason = { kind: 'unavailable', reason: why }
    expect(await first).toMatchObject({ rows: [], freshness: reason, members: [{ freshness: reason }, {}] })
  })

  it('everything is as it was last known because of that, and fresh as soon as it can be read', async () => {
    const { list, looked, lost } = setUp()
    await looked(told('a'))
    lost.why = why
    const old = { kind: 'stale', reason: why }
    expect(await list.view(undefined)).toMatchObject({ rows: [{}], freshness: old, members: [{ freshness: old }, {}] })
    lost.why = null
    expect(await list.view(undefined)).toMatchObject({ freshness: { kind: 'fresh' } })
  })
})

describe('later looks', () => {
  it('are answered at once, and have an old list read behind', async () => {
    const { clock, looked, rows, asked, answer, published } = setUp()
    await looked(told('a'))
    const before = published()
    await clock.pass(59_000)
    await rows()
    expect(asked.whole).toHaveLength(1)
    await clock.pass(1_000)
    expect(await rows()).toEqual(['a Running'])
    expect(asked.whole).toHaveLength(2)
    await answer(told('a', 'Stopped'))
    expect(published()).toBe(before + 1)
    expect(await rows()).toEqual(['a Stopped'])
  })

  it('have it read more often where no events tell of changes', async () => {
    const { clock, looked, rows, asked } = setUp({ isTold: false })
    await looked(told('a'))
    await clock.pass(15_000)
    await rows()
    expect(asked.whole).toHaveLength(2)
  })

  it('share one reading', async () => {
    const { clock, list, looked, asked } = setUp()
    await looked(told('a'))
    await clock.pass(60_000)
    void list.refresh()
    await Promise.all([list.view(undefined), list.view(undefined)])
    expect(asked.whole).toHaveLength(2)
  })

  it('are told only what has changed, where they say what they know', async () => {
    const { looked, list, clock } = setUp()
    const { revision } = await looked(told('a'), told('b'))
    list.changed('a')
    await clock.pass(100)
    expect(await list.view(revision)).toMatchObject({ whole: false, rows: [{ row: 'a Stopped' }] })
    expect(await list.view('of another list.1')).toMatchObject({ whole: true, rows: [{}, {}] })
  })

  it('keep what is known when the list fails, say why, and try again five seconds later', async () => {
    const { clock, looked, rows, fail, list, asked } = setUp()
    await looked(told('a'))
    await clock.pass(60_000)
    await rows()
    await clock.pass(0)
    await fail(new Error('no server answers'))
    expect(await list.view(undefined)).toMatchObject({
      rows: [{ row: 'a Running' }],
      freshness: { kind: 'stale', reason: 'no server answers.' },
    })
    expect(asked.whole).toHaveLength(2)
    await clock.pass(5_000)
    await rows()
    expect(asked.whole).toHaveLength(3)
  })

  it('say at once of a member that it is silent', async () => {
    const { looked, list, silent } = setUp()
    await looked(told('a'))
    silent.set('server1', 'The server is stuck.')
    expect((await list.view(undefined)).members[0]).toEqual({
      name: 'server1',
      count: 1,
      freshness: { kind: 'stale', asOf: '2026-01-01T00:00:00.000Z', reason: 'The server is stuck.' },
    })
  })
})

describe('what is said to have changed', () => {
  it('is read one by one, several at a time and each once', async () => {
    const { looked, list, clock, asked, rows, published } = setUp()
    await looked(told('a'), told('b'))
    const before = published()
    for (const key of ['a', 'b', 'a', 'c']) list.changed(key)
    await clock.pass(100)
    expect(asked.one).toEqual(['a', 'b', 'c'])
    expect(asked.whole).toHaveLength(1)
    expect(published()).toBe(before + 1)
    expect(await rows()).toEqual(['a Stopped', 'b Stopped', 'c Stopped'])
  })

  it('is read as a whole where it is much', async () => {
    const { looked, list, clock, asked } = setUp()
    await looked(told('a'))
    for (let at = 0; at < 17; at += 1) list.changed(`c${at}`)
    await clock.pass(100)
    expect([asked.one.length, asked.whole.length]).toEqual([0, 2])
  })

  it('is read once the first list is there, which may not have it', async () => {
    const { list, clock, asked, answer, rows } = setUp()
    const first = list.view(undefined)
    await clock.pass(0)
    list.changed('a')
    await clock.pass(200)
    await first
    expect(asked.one).toEqual([])
    await answer(told('a'))
    await clock.pass(0)
    expect(await rows()).toEqual(['a Stopped'])
  })

  it('may be gone', async () => {
    const { looked, list, clock, cluster, rows } = setUp()
    await looked(told('a'), told('b'), told('c'))
    list.gone('a')
    cluster.one = () => null
    list.changed('b')
    await clock.pass(100)
    expect(await rows()).toEqual(['c Running'])
  })

  it('has the whole list read where it cannot be had alone', async () => {
    const { looked, list, clock, cluster, asked, rows } = setUp()
    await looked(told('a'))
    cluster.one = () => {
      throw new Error('server1 is busy')
    }
    list.changed('a')
    await clock.pass(100)
    expect(await rows()).toEqual(['a Running'])
    expect(asked.whole).toHaveLength(2)
  })

  it('is nobody’s business while nobody has looked', async () => {
    const { list, clock, asked } = setUp()
    list.changed('a')
    list.doubt()
    await clock.pass(1_000)
    expect([asked.one.length, asked.whole.length]).toEqual([0, 0])
  })

  it('is doubted after events were missed: the list that is under way may be too old', async () => {
    const { looked, list, asked, answer, clock } = setUp()
    await looked(told('a'))
    list.doubt()
    list.doubt()
    await clock.pass(0)
    expect(asked.whole).toHaveLength(2)
    await answer(told('a'))
    expect(asked.whole).toHaveLength(3)
  })
})

describe('a list nobody looks at', () => {
  it('is forgotten after ten minutes, and begins anew', async () => {
    const { looked, list, clock, asked, answer } = setUp()
    const { revision } = await looked(told('a'))
    await clock.pass(10 * 60_000)
    const again = list.view(revision)
    await clock.pass(0)
    expect(asked.whole).toHaveLength(2)
    await answer(told('b'))
    expect(await again).toMatchObject({ whole: true, rows: [{ row: 'b Running' }] })
  })

  it('takes nothing in that was asked for before it was forgotten', async () => {
    const { list, clock, asked, rows } = setUp()
    void list.view(undefined)
    await clock.pass(10 * 60_000)
    asked.whole[0]?.resolve([told('old')])
    await clock.pass(0)
    const view = rows()
    await clock.pass(200)
    expect(await view).not.toContain('old Running')
  })

  it('is asked about again when a member that was silent answers', async () => {
    const { looked, list, asked } = setUp()
    await looked({ ...told('a'), told: false })
    list.answersAgain('server2')
    expect(asked.whole).toHaveLength(1)
    list.answersAgain('server1')
    expect(asked.whole).toHaveLength(2)
  })
})
