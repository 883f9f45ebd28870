import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type GatewayWorld, startGatewayWorld } from '../../testing/gateway-world.ts'
import { startTestDoor, testOrigin, type TestDoor } from '../../testing/test-door.ts'
import type { RequestContext } from './route.ts'
import { route } from './route.ts'

/** What a member may be sent, and what of it has which value (security rules, "Acting on Incus"). */
const allowList = new Set(['host', 'connection', 'user-agent', 'accept', 'content-type', 'content-length', 'if-match'])

const readThing = endpoint({ method: 'GET', path: '/clusters/:cluster/thing', summary: 'A thing.', reply: z.unknown() })
const changeThing = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/thing',
  summary: 'Changes a thing.',
  body: z.object({ canary: z.string() }),
  reply: z.unknown(),
})

let world: GatewayWorld
let door: TestDoor

beforeAll(async () => {
  world = await startGatewayWorld()
  const ask = ({ target, signal }: RequestContext) => ({ scope: world.console, target, parse: z.unknown(), signal })
  door = await startTestDoor({
    routes: [
      route({
        endpoint: readThing,
        action: 'member.list',
        class: 'read',
        handler: async (context) =>
          (await world.gateway.read({ ...ask(context), class: 'read', path: '/cluster/members' })).value,
      }),
      route({
        endpoint: changeThing,
        action: 'member.evacuate',
        class: 'mutate',
        handler: async (context) => {
          const body = { description: 'changed' }
          const path = '/projects/default'
          return (await world.gateway.write({ ...ask(context), method: 'PATCH', path, body })).value
        },
      }),
    ],
  })
})
afterAll(async () => {
  await door.close()
  await world[Symbol.asyncDispose]()
})

const own = ['Host: console.example.net', 'Cookie: sid=admin; canary=1', 'X-Console-Request: 1', 'Connection: close']
const get = (...more: string[]) => ['GET /api/clusters/prod-eu/thing HTTP/1.1', ...own, ...more, '', ''].join('\r\n')
const post = (...more: string[]) => {
  const body = '{"canary":"canary"}'
  const headers = [
    ...own,
    `Origin: ${testOrigin}`,
    'Content-Type: application/json; canary=canary',
    'Idempotency-Key: 7f0c2b1e-5a0f-4a65-9c1f-0d1b2c3d4e5f',
    `Content-Length: ${body.length}`,
  ]
  return ['POST /api/clusters/prod-eu/thing HTTP/1.1', ...headers, ...more, '', body].join('\r\n')
}

describe('T-header-smuggle: nothing that a browser claims reaches a member', () => {
  it.each([
    ['a credential', ['Authorization: Bearer canary'], '200'],
    ['headers between members', ['X-Incus-forwarded-address: canary', 'X-Incus-authenticated: canary'], '200'],
    ['headers of uploads', ['X-Incus-name: canary', 'X-Incus-secret: canary'], '200'],
    ['forwarding headers', ['X-Forwarded-For: 10.9.9.9', 'Forwarded: for=canary', 'Via: 1.1 canary'], '200'],
    ['where it comes from', ['Referer: https://canary.example.net', 'User-Agent: canary'], '200'],
    ['names in Connection', ['Connection: X-Canary', 'X-Canary: canary'], '200'],
    ['another method', ['X-HTTP-Method-Override: DELETE', 'X-Method-Override: canary'], '200'],
    ['conditions', ['If-None-Match: "canary"', 'If-Modified-Since: canary', 'Range: bytes=0-1'], '200'],
    ['a project', ['X-Incus-project: canary', 'X-Project: canary'], '200'],
    ['an unknown member as the target', ['X-Malleus-Target: canary'], '5'],
    ['an underscore', ['X_Canary: canary'], '400'],
    ['two lengths', ['Content-Length: 3', 'Transfer-Encoding: chunked'], '400'],
    ['a folded header', ['X-Canary: a', ' canary: canary'], '400'],
    ['a query that is a credential', [], '400', '?access_token=canary'],
    ['a query that is none of the route', [], '400', '?project=canary'],
  ])('%s', async (_, more, status, query = '') => {
    const before = world.cluster.requests.length
    const statuses: string[] = []
    for (const bytes of [get(...more), post(...more)]) {
      const text = await door.raw(bytes.replace('/thing HTTP', `/thing${query} HTTP`))
      statuses.push(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? '')
    }
    // The cluster has no such project; what counts is how it is asked.
    expect(statuses[0]).toMatch(new RegExp(`^${status}`))
    expect(statuses[1]).toMatch(status === '200' ? /^[45]/ : new RegExp(`^${status}`))
    const sent = world.cluster.requests.slice(before)
    expect(sent).toHaveLength(status === '200' ? 2 : 0)
    for (const request of sent) {
      const names = request.headers.map(([name]) => name.toLowerCase())
      expect(names.filter((name) => !allowList.has(name))).toEqual([])
      expect(new Set(names).size).toBe(names.length)
      expect(JSON.stringify([request.url, request.headers])).not.toMatch(/canary|10\.9\.9\.9|DELETE/i)
      expect(['/1.0/cluster/members', '/1.0/projects/default']).toContain(request.url)
      expect(request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1]).toBe('malleus')
    }
  })
})
