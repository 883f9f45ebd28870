import { Problem, problemCodes } from '@malleus/shared/api/problem.ts'
import { describe, expect, it } from 'vitest'
import { problems, Refusal } from './problem.ts'
import { problemFor } from './problem-handler.ts'

const audience = { requestId: 'r1', knows: 'addresses' } as const
const failure = (code: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { code, ...more })

describe('an error becomes a problem', () => {
  it.each(problemCodes)('%s has a status and a sentence', (code) => {
    const reply = problemFor(failure(code, 'why'), audience)
    expect(Problem.parse(reply.body)).toMatchObject({ code, status: reply.status, requestId: 'r1' })
    expect(reply.status).toBe(problems[code].status)
    expect(reply.body.title).toMatch(/^[A-Z].*\.$/)
  })

  it.each([
    ['something thrown that is no error', 'oops'],
    ['nothing', undefined],
    ['an error without a code', new TypeError('x is undefined at /srv/malleus/secret.ts')],
    ['an error of the system', failure('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:5432')],
    ['an error of the database', failure('SQLITE_FULL', 'INSERT INTO sessions failed')],
    ['a code that is not text', failure('', '', { code: 42 })],
    ['a name of Object', failure('constructor', 'x')],
  ])('%s is internal, and tells nothing', (_, thrown) => {
    const reply = problemFor(thrown, audience)
    expect(reply).toMatchObject({ status: 500, unexpected: true, body: { code: 'internal' } })
    expect(reply.body.detail).toBeUndefined()
  })

  it.each(['audit_unavailable', 'storage_unavailable', 'internal'])('%s keeps its message for the log', (code) => {
    expect(problemFor(failure(code, 'disk /dev/sda1 is full'), audience).body.detail).toBeUndefined()
  })

  it('passes what Incus says, cut and on one line, to people who are signed in', () => {
    const error = failure('cluster_failed', `first\nsecond${'x'.repeat(600)}`)
    const { detail } = problemFor(error, audience).body
    expect(detail).toMatch(/^first secondx+…$/)
    expect(detail).toHaveLength(512)
    expect(problemFor(error, { ...audience, knows: 'nothing' }).body.detail).toBeUndefined()
  })

  it.each([
    ['10.20.0.11:8443 refuses connections', 'a server refuses connections'],
    ['[fd00::11]:8443 does not answer', 'a server does not answer'],
    ['dial tcp fd00:20::11 failed at 12:30:05', 'dial tcp a server failed at 12:30:05'],
    ['server3 does not answer', 'server3 does not answer'],
  ])('hides addresses of servers from those who do not administer: %s', (message, told) => {
    const error = failure('no_responsive_member', message)
    expect(problemFor(error, audience).body.detail).toBe(message)
    expect(problemFor(error, { ...audience, knows: 'clusters' }).body.detail).toBe(told)
  })

  it.each([
    [404, 404],
    [412, 412],
    [400, 400],
    [403, 403],
    // 401 would send the person to sign in again, which is not what Incus means.
    [401, 409],
    [500, 409],
    [undefined, 409],
  ])('a refusal of the cluster with %s is answered %s', (status, expected) => {
    const reply = problemFor(failure('cluster_refused', 'no', { status }), audience)
    expect([reply.status, reply.body.status]).toEqual([expected, expected])
  })

  it('an unknown outcome is said in the body', () => {
    expect(problemFor(failure('outcome_unknown', 'x'), audience).body.outcome).toBe('unknown')
    expect(problemFor(failure('member_unavailable', 'x'), audience).body.outcome).toBeUndefined()
  })

  it('says how many attempts were made, and when to come back', () => {
    expect(problemFor(failure('member_busy', 'x', { attempts: 3 }), audience).headers).toEqual({
      'retry-after': '1',
      'x-malleus-attempts': '3',
    })
  })

  it('a refusal at the door has its own words and headers, for anybody', () => {
    const reply = problemFor(new Refusal('bad_query', 'No.', { headers: { a: 'b' }, closes: true }), {
      ...audience,
      knows: 'nothing',
    })
    expect(reply.body.detail).toBe('No.')
    expect(reply.headers).toEqual({ a: 'b', connection: 'close' })
  })
})
