import { readdirSync } from 'node:fs'
import type { Endpoint } from '@malleus/shared/api/endpoint.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, inertRoutes, nameOf, sampleBody } from '../../testing/all-routes.ts'
import { startTestDoor, testOrigin, type TestDoor } from '../../testing/test-door.ts'
import type { Route } from './route.ts'

type Headers = Readonly<Record<string, string | undefined>>
type Expected = 'passes' | 403 | 415

/** Each combination, and what it means for a request that only looks and for one that changes something. */
const combinations: readonly (readonly [string, Headers, Expected, Expected])[] = [
  ['as the page sends it', {}, 'passes', 'passes'],
  ['from an old browser without Fetch Metadata', { 'sec-fetch-site': undefined }, 'passes', 'passes'],
  ['without the console header', { 'x-console-request': undefined }, 403, 403],
  ['with another console header', { 'x-console-request': 'true' }, 403, 403],
  ['cross-site', { 'sec-fetch-site': 'cross-site' }, 403, 403],
  ['same-site', { 'sec-fetch-site': 'same-site' }, 403, 403],
  ['typed into the address bar', { 'sec-fetch-site': 'none' }, 403, 403],
  ['without an Origin', { origin: undefined }, 'passes', 403],
  ['with the Origin of nobody', { origin: 'null' }, 403, 403],
  ['with another Origin', { origin: 'https://evil.example.net' }, 403, 403],
  ['with our Origin over http', { origin: testOrigin.replace('https', 'http') }, 403, 403],
  ['with an Origin that begins with ours', { origin: `${testOrigin}.evil.example` }, 403, 403],
  ['as text', { 'content-type': 'text/plain' }, 'passes', 415],
  ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'passes', 415],
  ['as a form with files', { 'content-type': 'multipart/form-data; boundary=x' }, 'passes', 415],
  ['without a type', { 'content-type': undefined }, 'passes', 415],
]
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

const rows = inertRoutes()
let handled = 0
let door: TestDoor

beforeAll(async () => {
  const counting = rows.map((row): Route => ({
    ...row,
    handler: () => {
      handled += 1
      return Promise.resolve({})
    },
  }))
  door = await startTestDoor({ routes: counting })
})
afterAll(() => door.close())

async function send(row: Route, method: string, headers: Headers): Promise<{ status: number; handled: number }> {
  const before = handled
  const body = method === 'GET' || method === 'HEAD' ? undefined : sampleBody(row)
  const reply = await door.ask(addressOf(row), { method, headers, ...(body !== undefined && { body }) })
  return { status: reply.status, handled: handled - before }
}

/** Every endpoint that the browser's half of the house may call. */
async function contract(): Promise<string[]> {
  const folder = new URL('../../../shared/src/api/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const modules: object[] = await Promise.all(files.map((name): Promise<object> => importModule(new URL(name, folder))))
  return modules
    .flatMap((module): unknown[] => Object.values(module))
    .filter(
      (value): value is Endpoint => typeof value === 'object' && value !== null && 'method' in value && 'path' in value,
    )
    .map(({ method, path }) => `${method} ${path}`)
}

async function importModule(url: URL): Promise<object> {
  const module: unknown = await import(url.href)
  return typeof module === 'object' && module !== null ? module : {}
}

describe('T-csrf-matrix: every route', () => {
  it('is in the table once, and so is every endpoint of the contract', async () => {
    const served = rows.map(nameOf)
    expect(new Set(served).size).toBe(served.length)
    expect(served.toSorted()).toEqual((await contract()).toSorted())
  })

  describe.each(rows.map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
    it.each(combinations)('%s', async (_name, headers, looking, changing) => {
      const { method } = row.endpoint
      const expected = method === 'GET' ? looking : changing
      const result = await send(row, method, headers)
      const wanted =
        expected === 'passes' ? { status: row.status ?? 200, handled: 1 } : { status: expected, handled: 0 }
      expect(result).toEqual(wanted)
    })

    const served = rows
      .filter((other) => other.endpoint.path === row.endpoint.path)
      .map(({ endpoint }) => endpoint.method)
    const others = methods.filter((method) => !served.some((own) => own === method))
    it.each(others)('is never reached by %s, whatever else is right or wrong', async (method) => {
      for (const [, headers] of combinations) {
        const result = await send(row, method, headers)
        expect(result.handled).toBe(0)
        expect([403, 405]).toContain(result.status)
      }
      expect((await send(row, method, {})).status).toBe(405)
    })
  })
})

describe('T-csrf-matrix: what is no row of the table', () => {
  it.each(['/api', '/api/', '/api/nothing', '/api/live', '/api/openapi.json', '/api/clusters/prod-eu'])(
    '%s refuses everything from elsewhere before it looks who asks',
    async (path) => {
      for (const [, headers, looking] of combinations) {
        if (looking !== 403) continue
        for (const as of ['admin', null] as const) {
          expect((await door.ask(path, { headers, as })).status).toBe(403)
        }
      }
    },
  )

  it('no answer has a CORS header, and OPTIONS is refused everywhere', async () => {
    for (const path of ['/api/clusters', '/auth/logout', '/', '/reports', '/assets/x.js']) {
      const reply = await door.ask(path, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example.net', 'access-control-request-method': 'POST' },
      })
      expect(reply.status).toBe(405)
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('signing out needs what a change needs', async () => {
    const tries = [
      { 'x-console-request': undefined },
      { origin: undefined },
      { origin: 'https://evil.example.net' },
      { 'sec-fetch-site': 'cross-site' },
    ]
    for (const headers of tries) {
      expect((await door.ask('/auth/logout', { method: 'POST', body: '{}', headers })).status).toBe(403)
    }
  })
})
