import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { selfSigned } from '../../testing/certificate-authority.ts'
import type { GatewayWorld } from '../../testing/gateway-world.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { ExchangeFault } from '../../testing/stand-in/faults.ts'
import type { Clock } from '../lib/clock.ts'
import { systemClock } from '../lib/clock.ts'
import { OutcomeUnknown } from './member-error.ts'
import type { WriteRequest } from './request.ts'

/** Each of them says in its own way which one it is, so that its executions can be counted afterwards. */
interface Mutation {
  readonly name: string
  request(world: GatewayWorld, mark: number): Pick<WriteRequest<unknown>, 'method' | 'path' | 'body'>
}

const state = '/cluster/members/server2/state'
const marked = (mark: number, body: object) => ({ ...body, mark })

const mutations: Mutation[] = [
  {
    name: 'evacuate',
    request: (_, mark) => ({ method: 'POST', path: state, body: marked(mark, { action: 'evacuate', mode: 'stop' }) }),
  },
  {
    name: 'restore',
    request: (_, mark) => ({ method: 'POST', path: state, body: marked(mark, { action: 'restore', mode: '' }) }),
  },
  {
    name: 'restart an instance',
    request: (_, mark) => ({ method: 'PUT', path: '/instances/c1/state', body: marked(mark, { action: 'restart' }) }),
  },
  {
    name: 'remove a certificate',
    request: ({ cluster }, mark) => {
      const fingerprint = cluster.trust(selfSigned({ commonName: `client ${mark}` }).certificate)
      fingerprints.set(mark, fingerprint)
      return { method: 'DELETE', path: `/certificates/${fingerprint}` }
    },
  },
]
const fingerprints = new Map<number, string>()

const kinds = ['reset', 'close', 'stall', 502, 503] as const satisfies ExchangeFault['kind'][]
/** Bytes from one fault to the next: all of them in the long run, a fraction for every change. */
const step = process.env['MALLEUS_LONG'] === '1' ? 1 : 23
/** Longer than any request and shorter than most answers of the stand-in; the rest of an answer is like its middle. */
const requestBytes = 420
const responseBytes = 420

/** The machine's time, but for deadlines, which pass when the test says so: who stalls is not waited for. */
class Deadlines implements Clock {
  readonly now = () => systemClock.now()
  readonly monotonic = () => systemClock.monotonic()
  readonly #waiting = new Set<() => void>()

  after(delayMs: number, callback: () => void): () => void {
    if (delayMs < deadlineMs) return systemClock.after(delayMs, callback)
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }

  pass(): void {
    for (const callback of this.#waiting) callback()
  }
}

const deadlineMs = 1_000_000
const deadlines = new Deadlines()
let world: GatewayWorld
beforeAll(async () => {
  const instances = [{ name: 'c1', location: 'server1' }]
  world = await startGatewayWorld({ cluster: { instances, keepRequests: 100_000 }, clock: deadlines })
})
afterAll(async () => world[Symbol.asyncDispose]())

describe('T-never-twice: a change whose exchange breaks at any byte is carried out at most once', () => {
  let mark = 0

  async function change(mutation: Mutation, fault: ExchangeFault): Promise<void> {
    mark += 1
    const { gateway, cluster, console } = world
    const request = mutation.request(world, mark)
    const armed = cluster.faultAt({ ...fault, method: request.method })
    const end: { outcome?: unknown } = {}
    const query = { mark: String(mark) }
    void gateway
      .write({ ...request, query, scope: console, target: { kind: 'any' }, deadlineMs, parse: z.unknown() })
      .then(
        () => (end.outcome = 'done'),
        (error: unknown) => (end.outcome = error),
      )
    while (end.outcome === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      if (fault.kind === 'stall' && armed.fired > 0) deadlines.pass()
    }
    armed.disarm()
    outcomes.set(mark, {
      outcome: end.outcome,
      suffered: armed.fired > 0,
      at: `${mutation.name} ${JSON.stringify(fault)}`,
    })
  }
  const outcomes = new Map<number, { outcome: unknown; suffered: boolean; at: string }>()

  function executionsOf(mark: number): number {
    const fingerprint = fingerprints.get(mark)
    return world.cluster.executions.filter(({ body, path }) => {
      const isMarked = typeof body === 'object' && body !== null && 'mark' in body && body.mark === mark
      return isMarked || (fingerprint !== undefined && path.endsWith(fingerprint))
    }).length
  }

  /** How often the head of it arrived anywhere. */
  function requestsOf(mark: number): number {
    return world.cluster.requests.filter(({ url }) => url.endsWith(`?mark=${mark}`)).length
  }

  it.each(mutations.flatMap((mutation) => kinds.map((kind) => [mutation.name, kind, mutation] as const)))(
    '%s, broken by %s',
    async (_, kind, mutation) => {
      const first = mark
      for (let afterBytes = 0; afterBytes <= requestBytes; afterBytes += step) {
        await change(mutation, { at: 'request', afterBytes, kind })
      }
      for (let afterBytes = 0; afterBytes <= responseBytes; afterBytes += step) {
        await change(mutation, { at: 'response', afterBytes, kind })
      }
      // What was read whole before its sender left is still carried out: wait until the last of them is.
      await change(mutation, { path: '/nowhere', afterBytes: 0, kind })
      await expect.poll(() => executionsOf(mark)).toBe(1)

      for (let each = first + 1; each <= mark; each++) {
        const { outcome, suffered, at } = outcomes.get(each) ?? { outcome: null, suffered: false, at: '' }
        const executions = executionsOf(each)
        expect(executions, at).toBeLessThanOrEqual(1)
        // Every byte of it was written, so whatever broke, nobody may say that it was not done, and nobody else got it.
        expect(outcome === 'done' || outcome instanceof OutcomeUnknown, `${at}: ${String(outcome)}`).toBe(true)
        expect(requestsOf(each), at).toBeLessThanOrEqual(1)
        expect(outcome === 'done' ? executions : 1, at).toBe(1)
        expect(suffered || outcome === 'done', at).toBe(true)
      }
    },
  )

  it('was broken often, before and after it was carried out', () => {
    const all = [...outcomes].map(([each, { outcome, suffered }]) => ({
      outcome,
      suffered,
      executions: executionsOf(each),
    }))
    const broken = all.filter(({ suffered }) => suffered)
    expect(broken.filter(({ executions }) => executions === 0).length).toBeGreaterThan(40)
    expect(broken.filter(({ executions }) => executions === 1).length).toBeGreaterThan(40)
  })
})

describe('T-never-twice: a change moves on while not a byte of it was written', () => {
  it.each(['refusing', 'stuck', 'wrong-certificate'] as const)(
    'to the member that answers, when two are %s',
    async (fault) => {
      await using own = await startGatewayWorld({ cluster: { instances: 0, members: 5 } })
      own.cluster.setLeader('server1')
      await own.cluster.break('server3', fault)
      await own.cluster.break('server4', fault)
      for (let round = 0; round < 10; round++) {
        const body = { action: round % 2 === 0 ? 'evacuate' : 'restore', mode: '' }
        const answer = await own.gateway.write({
          scope: own.console,
          target: { kind: 'any' },
          method: 'POST',
          path: state,
          body,
          parse: z.unknown(),
        })
        expect(answer.via).not.toMatch(/[34]$/)
        expect(own.cluster.executions).toHaveLength(round + 1)
      }
    },
  )

  it('and nowhere when all refuse', async () => {
    await using own = await startGatewayWorld({ cluster: { instances: 0 } })
    for (const name of own.cluster.members) await own.cluster.break(name, 'refusing')
    const sent = own.gateway.write({
      scope: own.console,
      target: { kind: 'any' },
      method: 'POST',
      path: state,
      body: { action: 'evacuate', mode: '' },
      parse: z.unknown(),
    })
    await expect(sent).rejects.toMatchObject({ code: 'no_responsive_member', attempts: 3 })
    for (const name of own.cluster.members) await own.cluster.mend(name)
    expect(own.cluster.executions).toEqual([])
  })
})
