import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { endProof, proofRequest } from '../stores/proof.ts'
import { ApiError } from './api-error.ts'
import { askFor, call } from './client.ts'

const getThing = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/things/:thing',
  summary: 'A thing.',
  query: z.strictObject({ limit: z.coerce.number().optional(), q: z.string().optional() }),
  reply: z.object({ name: z.string() }),
})
const changeThing = endpoint({
  method: 'POST',
  path: '/things',
  summary: 'Changes a thing.',
  body: z.strictObject({ on: z.boolean() }),
  reply: z.object({ name: z.string() }),
})

const fetched = vi.fn<typeof fetch>()
beforeEach(() => vi.stubGlobal('fetch', fetched))
afterEach(() => vi.unstubAllGlobals())

function answers(body: unknown, status = 200) {
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(body), { status, headers: { 'x-request-id': 'r-1' } }))
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ApiError)) throw new Error('expected an ApiError', { cause: error })
  return error
}

test('a call carries the console header, encoded names, the query and the target', async () => {
  answers({ name: 'x' })
  const reply = await call(
    getThing,
    { params: { cluster: 'prod eu', thing: 'a/b' }, query: { limit: 5, q: undefined } },
    { target: { kind: 'group', name: 'edge' } },
  )
  expect(reply).toEqual({ name: 'x' })
  const [url, init] = fetched.mock.lastCall!
  expect(url).toBe('/api/clusters/prod%20eu/things/a%2Fb?limit=5')
  const headers = new Headers(init!.headers)
  expect(headers.get('x-console-request')).toBe('1')
  expect(headers.get('x-malleus-target')).toBe('@edge')
  expect(headers.get('idempotency-key')).toBeNull()
})

test('a change carries a key of its own and a JSON body', async () => {
  answers({ name: 'x' })
  answers({ name: 'x' })
  await call(changeThing, { body: { on: true } })
  const first = new Headers(fetched.mock.lastCall![1]!.headers)
  expect(first.get('idempotency-key')).toMatch(/^[0-9a-f-]{36}$/)
  expect(first.get('content-type')).toBe('application/json')
  expect(fetched.mock.lastCall![1]!.body).toBe('{"on":true}')
  await call(changeThing, { body: { on: true } })
  expect(new Headers(fetched.mock.lastCall![1]!.headers).get('idempotency-key')).not.toBe(first.get('idempotency-key'))
})

test('a problem becomes an ApiError with its sentence, code and request id', async () => {
  answers(
    {
      type: 'about:blank',
      title: 'server3 does not answer.',
      status: 503,
      code: 'member_unavailable',
      requestId: 'r-9',
      detail: 'no first byte in 400 ms',
    },
    503,
  )
  const error = await failure(call(changeThing, { body: { on: true } }))
  expect(error).toMatchObject({
    message: 'server3 does not answer.',
    code: 'member_unavailable',
    status: 503,
    requestId: 'r-9',
    detail: 'no first byte in 400 ms',
    outcomeUnknown: false,
  })
})

test.each([
  ['an HTML page', 502, 'bad_reply'],
  ['nothing to say', 401, 'not_signed_in'],
])('an unreadable failure with %s is still an ApiError', async (body, status, code) => {
  fetched.mockResolvedValueOnce(new Response(`<p>${body}</p>`, { status, headers: { 'x-request-id': 'r-2' } }))
  const error = await failure(call(changeThing, { body: { on: true } }))
  expect(error).toMatchObject({ status, code, requestId: 'r-2' })
})

test('a reply that does not fit the contract is refused', async () => {
  answers({ nome: 'x' })
  expect(await failure(call(changeThing, { body: { on: true } }))).toMatchObject({ code: 'bad_reply', status: 200 })
})

test('a read without an answer is "offline"; a change without an answer has an unknown outcome', async () => {
  fetched.mockRejectedValueOnce(new TypeError('fetch failed'))
  expect(await failure(call(getThing, { params: { cluster: 'a', thing: 'b' } }))).toMatchObject({
    code: 'offline',
    outcomeUnknown: false,
  })
  fetched.mockRejectedValueOnce(new TypeError('fetch failed'))
  expect(await failure(call(changeThing, { body: { on: true } }))).toMatchObject({
    code: 'outcome_unknown',
    outcomeUnknown: true,
  })
})

test('a page says whose it is, once it knows', async () => {
  answers({ name: 'x' })
  await call(getThing, { params: { cluster: 'prod', thing: 'a' } })
  askFor('mika')
  answers({ name: 'x' })
  await call(getThing, { params: { cluster: 'prod', thing: 'a' } })
  const said = fetched.mock.calls.slice(-2).map(([, init]) => new Headers(init?.headers).get('x-malleus-person'))
  expect(said).toEqual([null, 'mika'])
})

const problem = (code: string, status: number) => ({
  type: `urn:malleus:problem:${code}`,
  title: 'No.',
  status,
  code,
  requestId: 'r-2',
})
const keysSent = () => fetched.mock.calls.map(([, init]) => new Headers(init?.headers).get('idempotency-key'))

test('a change that needs a proof waits for it, and is then sent once more with the same key', async () => {
  fetched.mockClear()
  answers(problem('step_up_required', 403), 403)
  const reply = call(changeThing, { body: { on: true } })
  await vi.waitUntil(() => proofRequest.get() !== null)
  expect(fetched).toHaveBeenCalledTimes(1)
  answers({ name: 'x' })
  endProof(true)
  expect(await reply).toEqual({ name: 'x' })
  const [first, second, ...more] = keysSent()
  expect([second, more]).toEqual([first, []])
})

test('a proof that was not wanted fails the change calmly, and sends nothing more', async () => {
  fetched.mockClear()
  answers(problem('step_up_required', 403), 403)
  const failed = failure(call(changeThing, { body: { on: true } }))
  await vi.waitUntil(() => proofRequest.get() !== null)
  endProof(false)
  expect(await failed).toMatchObject({ code: 'step_up_required', requestId: 'r-2', outcomeUnknown: false })
  expect((await failed).message).toContain('Nothing was done')
  expect(fetched).toHaveBeenCalledTimes(1)
})

test('a proof that is not enough is not asked for again and again', async () => {
  fetched.mockClear()
  answers(problem('step_up_required', 403), 403)
  const failed = failure(call(changeThing, { body: { on: true } }))
  await vi.waitUntil(() => proofRequest.get() !== null)
  answers(problem('step_up_required', 403), 403)
  endProof(true)
  expect(await failed).toMatchObject({ code: 'step_up_required' })
  expect(proofRequest.get()).toBeNull()
})

test('what left with the cookie of a session that was just replaced is asked once more', async () => {
  fetched.mockClear()
  answers(problem('session_renewed', 401), 401)
  answers({ name: 'x' })
  expect(await call(changeThing, { body: { on: true } })).toEqual({ name: 'x' })
  expect(new Set(keysSent()).size).toBe(1)
  answers(problem('session_renewed', 401), 401)
  answers(problem('session_renewed', 401), 401)
  expect((await failure(call(changeThing, { body: { on: true } }))).signedOut).toBe(true)
})
