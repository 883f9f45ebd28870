import { z } from 'zod'
import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { listMembers } from '@malleus/shared/api/members.ts'
import { Problem } from '@malleus/shared/api/problem.ts'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor, type TestDoorOptions } from '../../testing/test-door.ts'
import { route } from './route.ts'

const readThing = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/things/:thing',
  summary: 'One thing.',
  query: z.object({ deep: z.enum(['yes', 'no']).default('no') }),
  reply: z.object({ thing: z.string(), deep: z.string() }),
})
const changeThing = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/things/:thing',
  summary: 'Changes a thing.',
  body: z.strictObject({ mode: z.string() }),
  reply: z.object({ done: z.string() }),
})

const open: TestDoor[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((door) => door.close()))
})

async function start(options: Partial<TestDoorOptions> & { change?: () => Promise<{ done: string }> } = {}) {
  const calls: string[] = []
  const door = await startTestDoor({
    routes: [
      route({
        endpoint: readThing,
        action: 'member.read',
        class: 'read',
        handler: async (context, { params, query }) => {
          context.answeredBy({ via: 'server2', attempts: 2, hedged: true })
          calls.push(`read ${params.thing}`)
          return { thing: params.thing, deep: query.deep }
        },
      }),
      route({
        endpoint: changeThing,
        action: 'member.evacuate',
        class: 'mutate',
        status: 202,
        handler: async (context, { params, body }) => {
          await context.scope(params.cluster)
          context.answeredBy({ via: 'server1', attempts: 1, hedged: false }, '/1.0/operations/1')
          calls.push(`change ${params.thing} ${body.mode}`)
          return options.change?.() ?? { done: params.thing }
        },
      }),
    ],
    ...options,
  })
  open.push(door)
  return { ...door, calls }
}

function problemOf(text: string) {
  return Problem.parse(JSON.parse(text))
}

describe('a read', () => {
  it('is parsed, allowed, answered and recorded', async () => {
    const { ask, history } = await start()
    const reply = await ask('/api/clusters/prod-eu/things/one%2Dtwo?deep=yes', { as: 'viewer' })
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)).toEqual({ thing: 'one-two', deep: 'yes' })
    expect(reply.headers).toMatchObject({
      'x-malleus-via': 'server2',
      'x-malleus-attempts': '2',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    })
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(history).toHaveLength(1)
    expect(history[0]).toMatchObject({
      phase: 'read',
      entry: {
        action: 'member.read',
        cluster: 'prod-eu',
        object: 'one-two',
        actor: { sub: 'viewer', roles: ['viewer'] },
        req: { route: '/api/clusters/:cluster/things/:thing', query: ['deep'] },
        up: { via: 'server2', attempts: 2, hedged: true },
        decision: { allow: true, rule: 'role:viewer' },
        out: { status: 200, code: null },
      },
    })
  })

  it('is not answered when it cannot be recorded', async () => {
    const unavailable = Object.assign(new Error('/var/lib is full'), { code: 'audit_unavailable' })
    const { ask } = await start({ audit: { readsWait: true, read: () => Promise.reject(unavailable) } })
    const reply = await ask('/api/clusters/prod-eu/things/one')
    expect(reply.status).toBe(503)
    expect(problemOf(reply.text).code).toBe('audit_unavailable')
    expect(reply.text).not.toContain('/var/lib')
  })

  it('of a cluster that is not visible does not exist, and the refusal is recorded', async () => {
    const { ask, history, calls } = await start()
    const reply = await ask('/api/clusters/prod-us/things/one')
    expect([reply.status, problemOf(reply.text).code]).toEqual([404, 'not_found'])
    expect(history).toMatchObject([
      { phase: 'record', entry: { decision: { allow: false, rule: 'not-visible' }, out: { status: 404 } } },
    ])
    expect(calls).toEqual([])
  })

  it('that is visible and not allowed is refused, and recorded', async () => {
    const { ask, history } = await start()
    const reply = await ask('/api/clusters/prod-eu/things/one', { as: 'auditor' })
    expect([reply.status, problemOf(reply.text).code]).toEqual([403, 'forbidden'])
    expect(history).toMatchObject([
      { phase: 'record', entry: { actor: { sub: 'auditor' }, decision: { rule: 'default-deny' } } },
    ])
  })

  it('gives up at its deadline even when the handler does not', async () => {
    const { ask } = await startWithHandler(() => new Promise(() => {}), { limits: { readMs: 20 } })
    const reply = await ask('/api/clusters/prod-eu/members')
    expect([reply.status, problemOf(reply.text).code]).toEqual([504, 'deadline_exceeded'])
  })

  it('tells its handler when the browser has gone', async () => {
    let aborted = (): void => {}
    const gone = new Promise<void>((resolve) => (aborted = resolve))
    let began = (): void => {}
    const begun = new Promise<void>((resolve) => (began = resolve))
    const { ask, server } = await startWithHandler((signal) => {
      began()
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted()
          reject(new Error('given up'))
        })
      })
    })
    const asked = ask('/api/clusters/prod-eu/members').catch(() => 'cut')
    await begun
    server.closeAllConnections()
    await gone
    expect(await asked).toBe('cut')
  })

  async function startWithHandler(
    handler: (signal: AbortSignal) => Promise<never>,
    options: Partial<TestDoorOptions> = {},
  ) {
    const door = await startTestDoor({
      routes: [
        route({
          endpoint: listMembers,
          action: 'member.list',
          class: 'read',
          handler: ({ signal }) => handler(signal),
        }),
      ],
      ...options,
    })
    open.push(door)
    return door
  }
})

describe('a change', () => {
  const path = '/api/clusters/prod-eu/things/one'
  const body = '{"mode":"auto"}'

  it('is written down before, done, and written down after', async () => {
    const { ask, history } = await start()
    const reply = await ask(path, { method: 'POST', body })
    expect([reply.status, JSON.parse(reply.text)]).toEqual([202, { done: 'one' }])
    expect(history.map(({ phase }) => phase)).toEqual(['intent', 'outcome'])
    expect(history[0]?.entry).toMatchObject({
      action: 'member.evacuate',
      object: 'one',
      out: null,
      req: { body: 'tag-15', changed: ['mode'] },
    })
    expect(history[1]?.entry).toMatchObject({
      out: { status: 202, op: '/1.0/operations/1' },
      up: { via: 'server1', mode: 'certificate' },
    })
    expect(history[1]?.entry.req?.id).toBe(history[0]?.entry.req?.id)
  })

  it('is not begun when it cannot be written down', async () => {
    const unavailable = Object.assign(new Error('full'), { code: 'audit_unavailable' })
    const { ask, calls } = await start({ audit: { intent: () => Promise.reject(unavailable) } })
    const reply = await ask(path, { method: 'POST', body })
    expect([reply.status, problemOf(reply.text).code]).toEqual([503, 'audit_unavailable'])
    expect(calls).toEqual([])
  })

  it('whose outcome is unknown says so, to the browser and to the history', async () => {
    const unknown = Object.assign(new Error('server1 did not answer'), { code: 'outcome_unknown', attempts: 1 })
    const { ask, history } = await start({ change: () => Promise.reject(unknown) })
    const reply = await ask(path, { method: 'POST', body })
    expect(problemOf(reply.text)).toMatchObject({ status: 504, code: 'outcome_unknown', outcome: 'unknown' })
    expect(history.map(({ phase }) => phase)).toEqual(['intent', 'outcome'])
    expect(history[1]?.entry.out).toMatchObject({ status: 504, code: 'outcome_unknown' })
  })

  it.each([
    ['without a key', undefined],
    ['with a key that is no UUID', 'again'],
  ])('%s is refused before it is written down', async (_, key) => {
    const { ask, history } = await start()
    const reply = await ask(path, { method: 'POST', body, headers: { 'idempotency-key': key } })
    expect([reply.status, problemOf(reply.text).code]).toEqual([400, 'idempotency_key_required'])
    expect(history.filter(({ phase }) => phase === 'intent')).toEqual([])
  })

  it('by someone without the role is refused and recorded', async () => {
    const { ask, history, calls } = await start()
    const reply = await ask(path, { method: 'POST', body, as: 'viewer' })
    expect([reply.status, problemOf(reply.text).code]).toEqual([403, 'forbidden'])
    expect(history).toMatchObject([
      { phase: 'record', entry: { action: 'member.evacuate', decision: { allow: false } } },
    ])
    expect(calls).toEqual([])
  })

  it('by someone without any role says that there is none', async () => {
    const { ask } = await start()
    const reply = await ask(path, { method: 'POST', body, as: 'guest' })
    expect([reply.status, problemOf(reply.text).code]).toEqual([404, 'not_found'])
  })
})

describe('what is asked wrongly has its own answer', () => {
  const one = '/api/clusters/prod-eu/things/one'
  const post = { method: 'POST', body: '{"mode":"auto"}' }
  it.each([
    ['an unknown address', '/api/nothing', {}, 404, 'not_found'],
    ['an unknown address below a known one', `${one}/more`, {}, 404, 'not_found'],
    ['a slash at the end', `${one}/`, {}, 404, 'not_found'],
    ['an unknown query key', `${one}?colour=red`, {}, 400, 'bad_query'],
    ['a query value that is not one of the list', `${one}?deep=perhaps`, {}, 400, 'bad_query'],
    ['a query key twice', `${one}?deep=yes&deep=no`, {}, 400, 'bad_query'],
    ['a credential in the query', `${one}?secret=x`, {}, 400, 'bad_query'],
    ['another credential in the query', `${one}?Access_Token=x`, {}, 400, 'bad_query'],
    ['a query where none is taken', one, { ...post, query: '?a=b' }, 400, 'bad_query'],
    ['another method', one, { method: 'PUT', body: '{}' }, 405, 'method_not_allowed'],
    ['OPTIONS', one, { method: 'OPTIONS' }, 405, 'method_not_allowed'],
    ['HEAD', one, { method: 'HEAD' }, 405, null],
    ['HEAD of the live stream', '/api/live', { method: 'HEAD' }, 405, null],
    ['TRACE', one, { method: 'TRACE' }, 405, 'method_not_allowed'],
    ['an encoded slash', '/api/clusters/prod-eu/things/a%2fb', {}, 400, 'bad_path'],
    ['a relative part', '/api/clusters/prod-eu/things/..', {}, 400, 'bad_path'],
    ['an encoded relative part', '/api/clusters/prod-eu/things/%2e%2e', {}, 400, 'bad_path'],
    ['two encodings', '/api/clusters/prod-eu/things/%2565', {}, 400, 'bad_path'],
    ['a name that is none', '/api/clusters/prod-eu/things/a%24b', {}, 400, 'bad_path'],
    ['a name that is too long', `/api/clusters/prod-eu/things/${'a'.repeat(65)}`, {}, 400, 'bad_path'],
    ['a body that is no JSON', one, { ...post, body: 'mode=auto' }, 400, 'bad_body'],
    [
      'a body of another type',
      one,
      { ...post, headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a form',
      one,
      { ...post, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    ['a body without a type', one, { ...post, headers: { 'content-type': undefined } }, 415, 'unsupported_media_type'],
    ['a body with a key too many', one, { ...post, body: '{"mode":"auto","x":1}' }, 400, 'bad_body'],
    ['a body with a key twice', one, { ...post, body: '{"mode":"auto","mode":"stop"}' }, 400, 'bad_body'],
    ['a body that is not there', one, { ...post, body: '' }, 400, 'bad_body'],
    ['a body too large', one, { ...post, body: `{"mode":"${'a'.repeat(1_048_576)}"}` }, 413, 'body_too_large'],
    ['a target that is no name', one, { headers: { 'x-malleus-target': '../1' } }, 400, 'bad_request'],
    ['a target that cannot be decoded', one, { headers: { 'x-malleus-target': '%zz' } }, 400, 'bad_request'],
    ['nobody', one, { as: null }, 401, 'not_signed_in'],
    ['nobody, at an unknown address', '/api/nothing', { as: null }, 401, 'not_signed_in'],
    ['an address too long', `${one}?deep=${'y'.repeat(9_000)}`, {}, 414, 'uri_too_long'],
    ['headers too large', one, { headers: { 'x-filler': 'y'.repeat(17_000) } }, 431, 'headers_too_large'],
  ] as const)('%s', async (_, path, ask, status, code) => {
    const { ask: send } = await start()
    const query = 'query' in ask ? ask.query : ''
    const reply = await send(path + query, ask)
    expect(reply.status).toBe(status)
    // An answer to HEAD has no body.
    expect(reply.text === '' ? null : problemOf(reply.text).code).toBe(code)
    expect(reply.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('a session that has ended is told so, and its cookie is taken back', async () => {
    const { ask, ended, history } = await start()
    ended.add('viewer')
    const reply = await ask('/api/clusters/prod-eu/things/one', { as: 'viewer' })
    expect([reply.status, problemOf(reply.text).code]).toEqual([401, 'session_expired'])
    expect(reply.headers['set-cookie']).toEqual(['sid=; Max-Age=0'])
    expect(history).toMatchObject([
      { phase: 'record', entry: { actor: null, decision: { allow: false, rule: 'session_expired' } } },
    ])
  })

  it('a session in whose place the browser has got another is told to ask once more, and loses no cookie', async () => {
    const { ask } = await start()
    const reply = await ask('/api/clusters/prod-eu/things/one', { headers: { cookie: 'sid=renewed' } })
    expect([reply.status, problemOf(reply.text).code]).toEqual([401, 'session_renewed'])
    expect(reply.headers['set-cookie']).toBeUndefined()
  })

  it('too many headers', async () => {
    const { ask } = await start()
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-filler-${n}`, 'y']))
    expect((await ask('/api/clusters/prod-eu/things/one', { headers })).status).toBe(431)
  })

  it('too many requests of one session, and of one address without', async () => {
    const { ask, history } = await start({ limits: { requestsPerSecond: 1, requestBurst: 2, anonymousPerSecond: 1 } })
    const statuses = []
    for (const as of ['admin', 'admin', 'admin', 'viewer', null, null] as const) {
      statuses.push((await ask('/api/clusters/prod-eu/things/one', { as })).status)
    }
    expect(statuses).toEqual([200, 200, 429, 200, 401, 429])
    expect(history.filter(({ phase }) => phase === 'record')).toHaveLength(3)
  })
})
