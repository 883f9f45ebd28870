import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { GatewayWorld } from '../../testing/gateway-world.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { IdentityProvider } from '../../testing/stand-in-idp.ts'
import { startIdentityProvider } from '../../testing/stand-in-idp.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import type { Scope } from './scope.ts'

const any: Target = { kind: 'any' }
const ServerView = z.looseObject({ auth: z.string(), auth_user_name: z.string().optional() })

let provider: IdentityProvider
let world: GatewayWorld
let usable: (member: string) => boolean = () => true

beforeAll(async () => {
  const people = ['alice', 'bob'].map((sub) => ({ sub, name: sub, email: `${sub}@marker-of-${sub}.test`, groups: [] }))
  provider = await startIdentityProvider({ people })
  world = await startGatewayWorld({
    cluster: {
      members: 5,
      instances: 0,
      keepRequests: 100_000,
      oidc: { issuer: provider.issuer },
      projects: ['marker-of-alice', 'marker-of-bob'],
      access: {
        'alice@marker-of-alice.test': { may: 'view', projects: ['marker-of-alice'] },
        'bob@marker-of-bob.test': { may: 'view', projects: ['marker-of-bob'] },
      },
    },
    bearerUsable: (member) => usable(member),
    probed: true,
  })
  world.cluster.setLeader('server1')
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await provider.close()
})

async function person(sub: string): Promise<Scope> {
  const token = await provider.issueToken({ person: sub })
  return { kind: 'bearer', iss: provider.issuer, sub, accessToken: async () => token }
}

describe('T-no-dual-credential: a person is never taken for the console', () => {
  it('whatever is asked by whom, and while members lose their OpenID Connect', async () => {
    const { gateway, cluster, console } = world
    const alice = await person('alice')
    const before = cluster.requests.length
    const ask = (scope: Scope) =>
      gateway.read({ class: 'read', scope, target: any, path: '', parse: ServerView }).then(
        ({ value }) => value.auth_user_name ?? value.auth,
        () => 'failed',
      )
    const names = new Set<string>()
    for (let round = 0; round < 60; round++) {
      if (round === 20) await cluster.break('server2', 'without-oidc')
      if (round === 30) await cluster.break('server3', 'without-oidc')
      if (round === 40) usable = (member) => member !== 'server2' && member !== 'server3'
      const [asAlice] = await Promise.all([ask(alice), ask(console), ask({ kind: 'anonymous' })])
      names.add(asAlice)
      // Once it is known, a member that cannot check tokens is not asked in a person's name at all.
      expect(round >= 40 ? asAlice : 'alice@marker-of-alice.test').toBe('alice@marker-of-alice.test')
    }
    usable = () => true
    await cluster.mendAll()
    // Before it is known, such a member sees a stranger: no connection for people has a certificate to fall back to.
    expect([...names].toSorted()).toEqual(['alice@marker-of-alice.test', 'untrusted'])
    const requests = cluster.requests.slice(before)
    const withBoth = requests.filter(
      ({ authorization, peerFingerprint }) => authorization !== null && peerFingerprint !== null,
    )
    expect(withBoth).toEqual([])
    expect(requests.filter(({ authorization }) => authorization !== null).length).toBeGreaterThan(40)
    expect(requests.filter(({ peerFingerprint }) => peerFingerprint !== null).length).toBeGreaterThan(40)
  })

  it('not on event streams either', async () => {
    const { gateway, cluster, console } = world
    const before = cluster.requests.length
    const handlers = { onEvent: () => {}, onPing: () => {} }
    for (const scope of [await person('alice'), console]) {
      const socket = await gateway.openEvents('server1', scope, { type: 'lifecycle', 'all-projects': 'true' }, handlers)
      socket.close()
      await socket.closed
    }
    const [asAlice, asConsole] = cluster.requests.slice(before).filter(({ url }) => url.startsWith('/1.0/events'))
    expect(asAlice).toMatchObject({ peerFingerprint: null, url: '/1.0/events?type=lifecycle&all-projects=true' })
    expect(asAlice?.authorization).toMatch(/^Bearer /)
    expect(asConsole?.authorization).toBeNull()
    expect(asConsole?.peerFingerprint).not.toBeNull()
  })

  it('a token that one member cannot check is good elsewhere, and that member is asked last for a while', async () => {
    const { gateway, cluster } = world
    const alice = await person('alice')
    // Restarted while the provider does not answer, it has no keys.
    await cluster.break('server4', 'refusing')
    await provider.down()
    await cluster.mend('server4')
    const seen: string[] = []
    for (let round = 0; round < 40; round++) {
      const answer = await gateway.read({ class: 'read', scope: alice, target: any, path: '', parse: ServerView })
      expect(answer.value.auth_user_name).toBe('alice@marker-of-alice.test')
      seen.push(answer.via)
    }
    expect(seen).not.toContain('server4')
    const alone = gateway.read({
      class: 'read',
      scope: alice,
      target: { kind: 'member', name: 'server4' },
      path: '',
      parse: ServerView,
    })
    await expect(alone).rejects.toMatchObject({ code: 'cluster_rejected_token', status: 401, member: 'server4' })
    await provider.up()
  })
})

describe('T-scope-leak: what is for one person never reaches another', () => {
  const count = process.env['MALLEUS_LONG'] === '1' ? 1_000_000 : 10_000

  it(
    `in ${count} interleaved requests with cancellations and members that die`,
    async () => {
      const { gateway, cluster } = world
      const people = ['alice', 'bob'] as const
      const scopes = { alice: await person('alice'), bob: await person('bob') }
      const mayBreak = ['server2', 'server3', 'server4', 'server5']
      const kinds = ['refusing', 'stuck', 'slow'] as const
      let seed = 20_261_122
      const draw = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      const told = { answers: 0, cancelled: 0, failed: 0 }
      const foreign: string[] = []
      const queue = { left: count }

      async function one(): Promise<void> {
        const who = people[draw(2)] ?? 'alice'
        const other = who === 'alice' ? 'bob' : 'alice'
        const [path, query] = draw(3) === 0 ? ['', undefined] : ['/projects', { recursion: '1' }]
        const cancel = draw(10) === 0 ? AbortSignal.timeout(draw(8)) : undefined
        try {
          const answer = await gateway.read({
            class: 'read',
            scope: scopes[who],
            target: any,
            path: path ?? '',
            parse: z.unknown(),
            ...(query === undefined ? {} : { query }),
            ...(cancel === undefined ? {} : { signal: cancel }),
          })
          const text = JSON.stringify(answer.value)
          told.answers += 1
          if (text.includes(`marker-of-${other}`) || !text.includes(`marker-of-${who}`)) foreign.push(`${who}: ${text}`)
        } catch {
          if (cancel?.aborted === true) told.cancelled += 1
          else told.failed += 1
        }
      }

      async function someone(): Promise<void> {
        while (queue.left > 0) {
          queue.left -= 1
          await one()
        }
      }

      async function trouble(): Promise<void> {
        while (queue.left > 0) {
          const victim = mayBreak[draw(mayBreak.length)] ?? 'server2'
          const startedAt = queue.left
          await cluster.break(victim, kinds[draw(kinds.length)] ?? 'refusing')
          await expect
            .poll(() => queue.left === 0 || startedAt - queue.left >= count / 50, { interval: 1, timeout: 60_000 })
            .toBe(true)
          await cluster.mend(victim)
        }
      }

      await Promise.all([trouble(), ...Array.from({ length: 24 }, someone)])
      expect(foreign).toEqual([])
      expect(told.answers + told.cancelled + told.failed).toBe(count)
      expect(told.cancelled).toBeGreaterThan(count / 200)
      expect(told.answers).toBeGreaterThan(count * 0.8)
    },
    count * 12,
  )
})
