import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { thrownBy } from '../../testing/thrown-by.ts'
import type { WireReply } from './exchange.ts'
import { mayDifferElsewhere, readIncusReply, saysNotDone, saysStarting } from './incus-reply.ts'
import { MemberError } from './member-error.ts'

const envelope = { status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null }

function reply(status: number, body: unknown, headers: WireReply['headers'] = {}): WireReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers, body: Buffer.from(text), answeredAt: 0 }
}

function read(from: WireReply, bearer = false, parse: z.ZodType = z.unknown()) {
  return readIncusReply(from, { member: 'server1', bearer, parse })
}

function failure(from: WireReply, bearer = false, parse: z.ZodType = z.unknown()): MemberError {
  try {
    read(from, bearer, parse)
  } catch (error) {
    if (error instanceof MemberError) return error
    throw error
  }
  throw new Error('it was read')
}

function refusal(status: number, error: string, bearer = false): MemberError {
  return failure(reply(status, { ...envelope, type: 'error', error_code: status, error }), bearer)
}

describe('an answer', () => {
  it('is what its metadata is', () => {
    const from = reply(200, { ...envelope, type: 'sync', metadata: ['a'] }, { etag: '"5f"' })
    expect(read(from, false, z.array(z.string()))).toEqual({ value: ['a'], operation: null, etag: '"5f"' })
  })

  it('that goes on has an operation', () => {
    const operation = '/1.0/operations/6b1c?project=default'
    const from = reply(202, { ...envelope, type: 'async', operation, metadata: { id: '6b1c' } })
    expect(read(from)).toEqual({ value: { id: '6b1c' }, operation, etag: null })
  })

  it('of another shape is none', () => {
    const error = failure(reply(200, { ...envelope, type: 'sync', metadata: 7 }), false, z.string())
    expect(error).toMatchObject({ kind: 'bad-reply', code: 'bad_upstream_reply', status: 200 })
    expect(error.cause).toBeInstanceOf(z.ZodError)
  })

  it.each<[string, WireReply]>([
    ['text', reply(200, 'hello')],
    ['nothing', reply(200, '')],
    ['half of one', reply(200, '{"type":"sync","metad')],
    ['no envelope', reply(200, { hello: 'world' })],
    ['a list', reply(200, [])],
    ['a redirect', reply(302, { ...envelope, type: 'sync' }, { location: 'https://elsewhere.example' })],
    ['a permanent redirect', reply(308, '')],
  ])('%s is none', (_, from) => {
    expect(failure(from)).toMatchObject({ kind: 'bad-reply', sent: true, member: 'server1' })
  })
})

describe('a refusal', () => {
  it.each<[number, boolean, string]>([
    [400, false, 'not_possible'],
    [401, true, 'cluster_rejected_token'],
    [401, false, 'cluster_refused'],
    [403, true, 'cluster_refused'],
    [403, false, 'cluster_refused'],
    [404, false, 'not_found'],
    [409, false, 'not_possible'],
    [412, false, 'precondition_failed'],
    [423, false, 'not_possible'],
    [500, false, 'cluster_failed'],
    [501, false, 'cluster_failed'],
    [503, false, 'cluster_failed'],
  ])('%d with a token %s: %s', (status, bearer, code) => {
    expect(refusal(status, 'why', bearer)).toMatchObject({ kind: 'incus', status, code, message: 'why' })
  })

  it('does not take the words of a program that Incus ran for those of its database', () => {
    const said = 'acme: context deadline exceeded'
    expect(refusal(500, said).database).toBe(true)
    expect(refusal(500, `Failed to run lego command: ${said}`).database).toBe(false)
  })

  it('has the text of Incus, and of a long one its beginning and its end, in 512 characters', () => {
    expect(refusal(403, 'x'.repeat(512)).message).toBe('x'.repeat(512))
    const { message } = refusal(403, `Failed to run it: ${'x'.repeat(10_000)} because of this`)
    expect(message).toHaveLength(512)
    expect(message).toMatch(/^Failed to run it: x+ … x+ because of this$/)
  })

  it('without a text names the status', () => {
    expect(failure(reply(503, '<html>busy</html>'))).toMatchObject({
      kind: 'incus',
      status: 503,
      message: 'server1 answered with status 503',
    })
    expect(failure(reply(404, ''))).toMatchObject({ kind: 'incus', code: 'not_found' })
  })

  it('may come with status 200, as from a forwarding member', () => {
    expect(failure(reply(200, { ...envelope, type: 'error', error_code: 404, error: 'Not Found' }))).toMatchObject({
      code: 'not_found',
      status: 404,
    })
  })
})

describe('the cluster database does not answer', () => {
  it.each([
    [503, 'Failed to begin transaction: failed to create cowsql connection: no available cowsql leader server found'],
    [500, 'Failed to fetch from "instances" table: context deadline exceeded'],
    [500, 'Failed to begin transaction: sql: database is locked'],
    [503, 'no leader'],
  ])('%d %s', (status, text) => {
    expect(refusal(status, text).database).toBe(true)
  })

  it.each([
    [400, 'Invalid transaction'],
    [404, 'no leader found'],
    [500, 'Server is not clustered'],
    [500, 'peer node 10.0.0.1 is down'],
    [500, 'Missing event connection with target cluster member'],
    [503, 'Daemon is starting up'],
  ])('but not when it says %d %s', (status, text) => {
    expect(refusal(status, text).database).toBe(false)
  })
})

describe('what a refusal means for the next step', () => {
  it.each<[number, string, boolean, boolean, boolean]>([
    [404, 'Not Found', false, false, true],
    [403, 'not authorized', true, false, true],
    [500, 'Server is not clustered', false, false, true],
    [500, 'context deadline exceeded', false, true, false],
    [503, 'Daemon is starting up', false, true, false],
    [503, 'Incus is shutting down', false, true, false],
    [502, '', false, true, false],
    [504, '', false, true, false],
    // A token that one member cannot check may be good elsewhere, and a change that it refuses was not made.
    [401, 'Failed to authenticate', true, true, true],
    [401, 'not authorized', false, false, true],
  ])('%d %s: elsewhere %s, not done %s', (status, text, bearer, elsewhere, notDone) => {
    const error = refusal(status, text, bearer)
    expect(mayDifferElsewhere(error)).toBe(elsewhere)
    expect(saysNotDone(error)).toBe(notDone)
  })

  it('a daemon that starts is told from one that stops', () => {
    expect(saysStarting(refusal(503, 'Daemon is starting up'))).toBe(true)
    expect(saysStarting(refusal(503, 'Incus is shutting down'))).toBe(false)
    expect(saysStarting(refusal(500, 'starting up'))).toBe(false)
  })
})

it('T-fuzz: whatever a member says is a value or a MemberError', () => {
  const status = fc.integer({ min: 200, max: 599 })
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record(
        {
          type: fc.constantFrom('sync', 'async', 'error', 'x'),
          metadata: fc.jsonValue(),
          error: fc.jsonValue(),
          error_code: fc.jsonValue(),
          operation: fc.jsonValue(),
        },
        { requiredKeys: ['type'] },
      )
      .map((each) => JSON.stringify(each)),
  )
  fc.assert(
    fc.property(status, body, (code, text) => {
      const thrown = thrownBy(() => read(reply(code, text), true, z.looseObject({})))
      expect(thrown === null || thrown instanceof MemberError).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
