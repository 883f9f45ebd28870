import fc from 'fast-check'
import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startTestDoor, testOrigin, type TestDoor } from '../../testing/test-door.ts'
import { type RequestContext, route } from './route.ts'

const seen: RequestContext[] = []
let door: TestDoor

const readThing = endpoint({ method: 'GET', path: '/thing', summary: 'A thing.', reply: z.object({}) })
const changeThing = endpoint({
  method: 'POST',
  path: '/thing',
  summary: 'Changes a thing.',
  body: z.object({ a: z.string() }),
  reply: z.object({}),
})

beforeAll(async () => {
  const handler = (context: RequestContext) => {
    seen.push(context)
    return Promise.resolve({})
  }
  door = await startTestDoor({
    routes: [
      route({ endpoint: readThing, action: 'cluster.list', class: 'read', handler }),
      route({ endpoint: changeThing, action: 'session.activity', class: 'mutate', handler }),
    ],
  })
})
afterAll(() => door.close())
beforeEach(() => {
  seen.length = 0
})

const own = ['Host: console.example.net', 'Cookie: sid=admin', 'X-Console-Request: 1', 'Sec-Fetch-Site: same-origin']
const changing = [...own, `Origin: ${testOrigin}`, 'Content-Type: application/json']
const get = (...more: string[]) => ['GET /api/thing HTTP/1.1', ...own, ...more, '', ''].join('\r\n')
const post = (body: string, ...more: string[]) =>
  ['POST /api/thing HTTP/1.1', ...changing, ...more, '', body].join('\r\n')
const smuggled = `GET /api/thing HTTP/1.1\r\n${own.join('\r\n')}\r\nConnection: close\r\n\r\n`

/** The status lines that came back. */
async function statuses(bytes: string): Promise<number[]> {
  const text = await door.raw(bytes)
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
}

describe('T-header-smuggle: what two readers could take in two ways is refused, and the connection closed', () => {
  it.each([
    ['both lengths', post(`0\r\n\r\n${smuggled}`, 'Content-Length: 5', 'Transfer-Encoding: chunked')],
    [
      'both lengths, the other way round',
      post(`0\r\n\r\n${smuggled}`, 'Transfer-Encoding: chunked', 'Content-Length: 5'),
    ],
    ['two lengths', post('{"a":"b"}', 'Content-Length: 9', 'Content-Length: 5')],
    ['two equal lengths', post('{"a":"b"}', 'Content-Length: 9', 'Content-Length: 9')],
    ['a list of lengths', post('{"a":"b"}', 'Content-Length: 9, 9')],
    ['a length with a sign', post('{"a":"b"}', 'Content-Length: +9')],
    ['a length in hexadecimal', post('{"a":"b"}', 'Content-Length: 0x9')],
    ['another transfer encoding', post('{"a":"b"}', 'Transfer-Encoding: gzip, chunked')],
    ['a transfer encoding that is not quite chunked', post('0\r\n\r\n', 'Transfer-Encoding: xchunked')],
    [
      'a transfer encoding behind a tab',
      post('0\r\n\r\n', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding: identity'),
    ],
    ['a space before the colon', get('Transfer-Encoding : chunked')],
    ['a folded header', get('X-Filler: a\r\n Transfer-Encoding: chunked')],
    ['a folded header with a tab', get('X-Filler: a\r\n\tX-Other: b')],
    ['a bare carriage return', get('X-Filler: a\rTransfer-Encoding: chunked')],
    ['a bare line feed', get('X-Filler: a\nX-Other: b')],
    ['a null byte', get('X-Filler: a\0b')],
    ['a header without a name', get(': a')],
    ['an underscore', get('X_Console_Request: 1')],
    ['an underscore for a forwarding header', get('X_Forwarded_For: 127.0.0.1')],
    ['a body of a GET', get('Content-Length: 4') + 'evil'],
    ['a chunked body of a GET', `${get('Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['two hosts', get('Host: evil.example.net')],
    ['no host', ['GET /api/thing HTTP/1.1', ...own.slice(1), '', ''].join('\r\n')],
    ['the console header twice', get('X-Console-Request: 1')],
    ['two origins', post('{"a":"b"}', 'Content-Length: 9', 'Origin: https://evil.example.net')],
    ['a whole address', get().replace('/api/thing', 'http://evil.example.net/api/thing')],
    ['a control character in the address', get().replace('/api/thing', '/api/thing\x01')],
    ['a method that is none', get().replace('GET', 'G(T')],
    ['a version that is none', get().replace('HTTP/1.1', 'HTTP/1.9')],
    ['something else entirely', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['a chunk size that is none', post('zz\r\n', 'Transfer-Encoding: chunked')],
  ])('%s', async (_, bytes) => {
    const [first, ...rest] = await statuses(`${bytes}${smuggled}`)
    expect(first).toBe(400)
    expect(rest).toEqual([])
    expect(seen).toEqual([])
  })

  it('says what is wrong as a problem, with an id', async () => {
    const text = await door.raw(post('x', 'Content-Length: 1', 'Transfer-Encoding: chunked'))
    expect(text).toMatch(/content-type: application\/problem\+json/i)
    expect(text).toMatch(/connection: close/i)
    expect(text).toMatch(/"code":"bad_request","requestId":"[0-9a-f-]{36}"/)
  })

  it.each([
    ['an address beyond the parser', `GET /${'a'.repeat(60_000)} HTTP/1.1\r\n\r\n`, 414],
    ['headers beyond the parser', `GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${'a'.repeat(60_000)}\r\n\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    expect(await statuses(bytes)).toEqual([status])
  })
})

describe('T-header-smuggle: what is allowed leads to one request, and hands on nothing that was claimed', () => {
  it.each([
    ['nothing special', []],
    ['forged forwarding headers', ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 10.0.0.1', 'Forwarded: for=10.0.0.1']],
    [
      'headers between members of a cluster',
      ['X-Incus-forwarded-address: 10.0.0.1', 'X-Incus-authenticated: 1', 'X-Incus-forwarded-username: root'],
    ],
    ['a credential', ['Authorization: Bearer stolen']],
    ['headers named in Connection', ['Connection: close, Cookie, X-Console-Request']],
    ['an upgrade', ['Connection: Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ']],
    [
      'an overridden method',
      ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /api/other', 'X-Rewrite-URL: /api/other'],
    ],
  ])('%s', async (_, more) => {
    const closes = more.some((line) => line.startsWith('Connection: close'))
    const text = await door.raw(get(...more) + (closes ? '' : smuggled.replace('/api/thing', '/api/nothing')))
    expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)[0]).toBe('200')
    expect(seen).toHaveLength(1)
    const [context] = seen
    expect(context?.clientAddress).toBe('127.0.0.1')
    expect(Object.keys(context ?? {}).toSorted()).toEqual(
      ['answeredBy', 'clientAddress', 'principal', 'requestId', 'scope', 'signal', 'target', 'touch'].toSorted(),
    )
    expect(JSON.stringify(context)).not.toMatch(/stolen|10\.0\.0\.1|evil/)
  })

  it('a chunked body is read like any other', async () => {
    const text = await door.raw(post('9\r\n{"a":"b"}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked', 'Connection: close'))
    expect(text).toMatch(/^HTTP\/1\.1 200/)
    expect(seen).toHaveLength(1)
  })
})

describe('T-fuzz: the parser edge', () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...changing,
      'Content-Length: 9',
      'Transfer-Encoding: chunked',
      'Connection: close',
      'Connection: keep-alive',
      ' folded',
      'X_A: b',
      'Expect: 100-continue',
      'Upgrade: websocket',
      'Connection: upgrade',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  const request = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PRI', 'get', ''),
      fc.oneof(
        fc.constantFrom('/api/thing', '/', '*', '/%', '//', '/api/thing?a', '/reports'),
        fc.string({ maxLength: 10 }),
      ),
      fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
      fc.array(line, { maxLength: 8 }),
      fc.constantFrom('', '{"a":"b"}', '0\r\n\r\n', '9\r\n{"a":"b"}\r\n0\r\n\r\n', '\0\0'),
    )
    .map(([method, path, version, lines, body]) => [`${method} ${path} ${version}`, ...lines, '', body].join('\r\n'))

  it('answers whatever comes, and goes on to serve', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown) => rejections.push(reason)
    process.on('unhandledRejection', note)
    try {
      await fc.assert(
        fc.asyncProperty(request, async (bytes) => {
          // The second request ends whatever the first one left open.
          await door.raw(Buffer.from(`${bytes}\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n\0`, 'latin1')).catch(() => 'cut')
        }),
        { seed: 20261122, numRuns: 300 },
      )
      expect((await door.ask('/api/thing')).status).toBe(200)
      expect(rejections).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})
