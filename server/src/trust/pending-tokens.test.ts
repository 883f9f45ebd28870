import { IncusOperationMap } from '@malleus/shared/incus/operation.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Answer, ReadRequest } from '../gateway/request.ts'
import { PendingTokens } from './pending-tokens.ts'

const scope = { kind: 'console' } as const
const token = (id: string) => ({
  id,
  class: 'token',
  description: 'Executing operation',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  status: 'Running',
  status_code: 103,
  resources: {},
  metadata: { secret: 's', fingerprint: 'f', addresses: [], request: { name: id, type: 'client' } },
  may_cancel: true,
  err: '',
  location: 'server1',
})
const listOf = (...ids: string[]) => ({ token: ids.map(token) })

/** Lists that are answered by hand. */
function setUp() {
  const clock = new ManualClock()
  const asked: PromiseWithResolvers<unknown>[] = []
  const lost = { why: null as string | null }
  const tokens = new PendingTokens({
    gateway: {
      read: async <Parsed>({ parse }: ReadRequest<Parsed>): Promise<Answer<Parsed>> => {
        const question = Promise.withResolvers<unknown>()
        asked.push(question)
        const value = parse.parse(await question.promise)
        return { value, operation: null, etag: null, via: 'server1', attempts: 1, hedged: false }
      },
    },
    known: () => ({ madeBy: null, withdrawnAt: null }),
    loss: () => lost.why,
    clock,
  })
  const names = async () => (await tokens.view(scope)).tokens.map(({ name }) => name)
  const hear = async (...ids: string[]) => {
    const looking = tokens.view(scope)
    asked.at(-1)?.resolve(listOf(...ids))
    await clock.pass(0)
    return looking
  }
  return { clock, asked, lost, tokens, names, hear }
}

describe('pending tokens', () => {
  test('are what was known before after a fifth of a second, and while the database is lost at once', async () => {
    const { clock, tokens, hear, lost } = setUp()
    expect(await hear('laptop')).toMatchObject({ tokens: [{ name: 'laptop' }], freshness: { kind: 'fresh' } })
    const looking = tokens.view(scope)
    await clock.pass(200)
    expect(await looking).toMatchObject({ tokens: [{ name: 'laptop' }], freshness: { kind: 'stale' } })
    lost.why = 'The cluster database does not answer.'
    const again = tokens.view(scope)
    await clock.pass(0)
    expect((await again).freshness).toMatchObject({ kind: 'stale', reason: 'The cluster database does not answer.' })
  })

  test('have what was made and not what was withdrawn, whatever a list says that was asked for before', async () => {
    const { clock, tokens, hear, asked, names } = setUp()
    await hear('laptop')
    const looking = tokens.view(scope)
    const [made] = IncusOperationMap.parse(listOf('phone'))
    if (made !== undefined) tokens.made(made)
    tokens.gone('laptop')
    asked[1]?.resolve(listOf('laptop'))
    await clock.pass(0)
    expect((await looking).tokens.map(({ name }) => name)).toEqual(['phone'])
    const next = names()
    await clock.pass(200)
    expect(await next).toEqual(['phone'])
    expect(asked).toHaveLength(3)
  })
})
