import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import { instant } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import type { GivenToken } from './given-token-store.ts'
import { GivenTokens } from './given-tokens.ts'

const minute = 60_000
const jos = { cluster: 'prod-eu', name: 'laptop', madeBy: 'Jo' }
const notFound = failure({ kind: 'incus', status: 404, message: 'Operation not found' })

function failure(more: { kind: 'incus' | 'refused'; status?: number; message: string }): MemberError {
  return new MemberError({ member: 'server1', phase: 'answer', sent: false, ...more })
}

/** A cluster with some tokens, in whose place each answer can be chosen. */
function world(options: { readonly kept?: readonly GivenToken[]; readonly clock?: ManualClock } = {}) {
  const clock = options.clock ?? new ManualClock()
  const pending = new Set(['t1', 't2'])
  const asked: string[] = []
  const told: string[] = []
  const kept = new Map((options.kept ?? []).map((each) => [each.operation, each]))
  /** What the next withdrawal meets. */
  const fails: { withdrawal: Error | null; applied: boolean; history: boolean } = {
    withdrawal: null,
    applied: false,
    history: false,
  }
  const idOf = (path: string) => path.split('/').at(-1) ?? ''
  const gateway = {
    read: ({ path, parse }: Parameters<Gateway['read']>[0]) => {
      asked.push(`GET ${idOf(path)}`)
      if (!pending.has(idOf(path))) return Promise.reject(notFound)
      const operation = { id: idOf(path), created_at: '', updated_at: '', status_code: 103 }
      return Promise.resolve({ value: parse.parse(operation) })
    },
    write: ({ path, target }: Parameters<Gateway['write']>[0]) => {
      asked.push(`DELETE ${idOf(path)} on ${target.kind === 'member' ? target.name : target.kind}`)
      const { withdrawal } = fails
      fails.withdrawal = null
      if (withdrawal === null || fails.applied) pending.delete(idOf(path))
      return withdrawal === null ? Promise.resolve({ value: null }) : Promise.reject(withdrawal)
    },
  } as unknown as Pick<Gateway, 'read' | 'write'>
  const tokens = new GivenTokens({
    cluster: 'prod-eu',
    gateway,
    directory: { get: (member) => (member === 'server1' ? {} : undefined) },
    store: {
      all: () => Promise.resolve([...kept.values()]),
      keep: async (token) => void kept.set(token.operation, token),
      forget: async (_cluster, operation) => void kept.delete(operation),
    },
    record: {
      intent: ({ operation }) => {
        if (fails.history) return Promise.reject(new Error('the history cannot be written'))
        told.push(`intent ${operation}`)
        return Promise.resolve()
      },
      outcome: ({ operation }, outcome) => told.push(`${outcome} ${operation}`),
    },
    clock,
    logger: silentLogger,
  })
  const promise = (operation: string, inMs: number | null, member: string | null = 'server1') =>
    tokens.keep({
      ...jos,
      operation,
      member,
      madeAt: clock.now(),
      withdrawAt: inMs === null ? null : clock.now() + inMs,
    })
  return { clock, tokens, promise, pending, asked, told, kept, fails }
}

describe('a token that this console promised to withdraw', () => {
  test('is withdrawn at its time, where it is, and not before', async () => {
    const { clock, promise, asked, told, kept, tokens } = world()
    await promise('t1', 10 * minute)
    expect(tokens.of('t1').withdrawnAt).toBe(instant(clock.now() + 10 * minute))
    await clock.pass(10 * minute - 1)
    expect(asked).toEqual([])
    await clock.pass(1)
    expect(asked).toEqual(['GET t1', 'DELETE t1 on server1'])
    expect(told).toEqual(['intent t1', 'withdrawn t1'])
    expect([...kept.keys()]).toEqual([])
    expect(tokens.of('t1')).toEqual({ madeBy: null, withdrawnAt: null })
  })

  test('is withdrawn through any server when its own is not known', async () => {
    const { clock, promise, asked } = world()
    await promise('t1', minute, 'server9')
    await clock.pass(minute)
    expect(asked.at(-1)).toBe('DELETE t1 on any')
  })

  test('that was used meanwhile is let be', async () => {
    const { clock, promise, asked, told, pending, kept } = world()
    await promise('t1', minute)
    pending.delete('t1')
    await clock.pass(minute)
    expect(asked).toEqual(['GET t1'])
    expect(told).toEqual([])
    expect([...kept.keys()]).toEqual([])
  })

  test('that somebody withdrew is forgotten', async () => {
    const { clock, promise, asked, kept, tokens } = world()
    await promise('t1', minute)
    await tokens.forget('t1')
    await clock.pass(minute)
    expect(asked).toEqual([])
    expect([...kept.keys()]).toEqual([])
  })

  test('may have months to go', async () => {
    const { clock, promise, asked } = world()
    await promise('t1', 29 * 24 * 60 * minute)
    await clock.pass(29 * 24 * 60 * minute - 1)
    expect(asked).toEqual([])
    await clock.pass(1)
    expect(asked).toContain('DELETE t1 on server1')
  })

  test('is tried for until a server takes it', async () => {
    const { clock, promise, told, kept, fails } = world()
    await promise('t1', minute)
    fails.withdrawal = failure({ kind: 'refused', message: 'server1 refuses connections' })
    await clock.pass(minute)
    expect(told).toEqual(['intent t1', 'failed t1'])
    await clock.pass(5_000)
    expect(told.slice(2)).toEqual(['intent t1', 'withdrawn t1'])
    expect([...kept.keys()]).toEqual([])
  })

  test('is left alone while that cannot be recorded', async () => {
    const { clock, promise, asked, told, fails } = world()
    await promise('t1', minute)
    fails.history = true
    await clock.pass(minute + 20_000)
    expect(asked.filter((line) => line.startsWith('DELETE'))).toEqual([])
    fails.history = false
    await clock.pass(5_000)
    expect(told).toEqual(['intent t1', 'withdrawn t1'])
  })
})

describe('T-never-twice: a withdrawal whose answer was lost', () => {
  test.each([
    ['and that was carried out is not sent again', true, ['GET t1', 'DELETE t1 on server1', 'GET t1']],
    [
      'and that was not carried out is sent once it is seen that the token stands',
      false,
      ['GET t1', 'DELETE t1 on server1', 'GET t1', 'DELETE t1 on server1'],
    ],
  ])('%s', async (_, applied, expected) => {
    const { clock, promise, asked, told, fails, kept } = world()
    await promise('t1', minute)
    fails.withdrawal = new OutcomeUnknown(failure({ kind: 'refused', message: 'no answer' }), 1)
    fails.applied = applied
    await clock.pass(minute)
    expect(told).toEqual(['intent t1', 'unknown t1'])
    await clock.pass(5_000)
    expect(asked).toEqual(expected)
    expect([...kept.keys()]).toEqual([])
  })
})

describe('a token without an end of its own', () => {
  test('is not withdrawn, and it is known who made it', async () => {
    const { clock, promise, asked, tokens } = world()
    await promise('t1', null)
    await clock.pass(90 * 24 * 60 * minute)
    expect(asked).toEqual([])
    expect(tokens.of('t1')).toEqual({ madeBy: { name: 'Jo', here: true }, withdrawnAt: null })
  })

  test('is forgotten after more than a year', async () => {
    const clock = new ManualClock()
    const of = (operation: string, days: number): GivenToken => {
      return { ...jos, operation, member: null, madeAt: clock.now() - days * 24 * 60 * minute, withdrawAt: null }
    }
    const { tokens, kept } = world({ clock, kept: [of('t1', 401), of('t2', 399)] })
    await tokens.start()
    expect([...kept.keys()]).toEqual(['t2'])
  })
})

describe('a console that is started anew', () => {
  test('keeps what it promised before, also what came due while it was away', async () => {
    const clock = new ManualClock()
    const at = (operation: string, inMs: number): GivenToken => {
      return { ...jos, operation, member: null, madeAt: clock.now(), withdrawAt: clock.now() + inMs }
    }
    const { tokens, asked } = world({ clock, kept: [at('t1', -minute), at('t2', minute)] })
    await tokens.start()
    await clock.pass(0)
    expect(asked).toEqual(['GET t1', 'DELETE t1 on any'])
    await clock.pass(minute)
    expect(asked.slice(2)).toEqual(['GET t2', 'DELETE t2 on any'])
  })
})
