import { randomUUID } from 'node:crypto'
import { getMember } from '@malleus/shared/api/members.ts'
import { listOperations } from '@malleus/shared/api/operations.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { LiveClient } from '../../testing/live-client.ts'
import type { ExchangeFault } from '../../testing/stand-in/faults.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { changeState } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
let admin: TestBrowser
let live: LiveClient

beforeAll(async () => {
  app = await startTestApp({
    settings: { limits: { mutationMs: 2_000, requestsPerSecond: 10_000, requestBurst: 100_000 } },
  })
  admin = await app.signIn('admin')
  live = await app.listen(admin)
})
afterAll(() => app.close())
// Whatever the one before left.
beforeEach(async () => {
  app.cluster.state.member('server2').state = 'created'
  app.cluster.emit({ action: 'cluster-member-restored', source: '/1.0/cluster/members/server2' })
  await eventually(
    async () => getMember.reply.parse((await admin.get(`/api/clusters/${clusterName}/members/server2`)).json),
    ({ member }) => member.reported.value?.status === 'Online',
  )
})

type Kind = ExchangeFault['kind']

/** In the answer: the member has carried it out. In the request: it has a part of it, and may carry it out or not. */
const lostReplies: readonly (readonly [Kind, number])[] = [
  ['reset', 0],
  ['close', 0],
  ['stall', 0],
  ['reset', 40],
  ['close', 200],
  ['stall', 200],
]
const refusals: readonly (readonly [Kind, number])[] = [
  [502, 0],
  [503, 0],
]
const lostRequests: readonly (readonly [Kind, number])[] = [
  ['reset', 30],
  ['close', 200],
  ['stall', 200],
  [503, 100],
]

describe('T-never-twice at the console', () => {
  test.each([...lostReplies, ...refusals])(
    'an evacuation whose answer is lost (%s after %i bytes) is done once, called unknown, and found',
    async (kind, afterBytes) => {
      const { key, reply, executions } = await evacuate({ at: 'response', kind, afterBytes })
      const problem = problemOf(reply)
      expect(reply.status, reply.text).toBe(504)
      expect(problem).toMatchObject({ code: 'outcome_unknown', outcome: 'unknown' })
      expect(executions()).toBe(1)

      const { requestId } = problem
      const found = await live.next('outcome-found', (event) => event.requestId === requestId)
      expect(found.event).toMatchObject({
        cluster: clusterName,
        action: 'member.evacuate',
        object: 'server2',
        outcome: 'confirmed',
      })
      await recorded(requestId, ['intent', 'outcome outcome_unknown', 'outcome confirmed'])

      const again = await replay(key)
      expect(again.status).toBe(504)
      expect(problemOf(again)).toMatchObject({ code: 'outcome_unknown', outcome: 'unknown' })
      expect(executions()).toBe(1)
      await evacuated()
    },
  )

  test.each(lostRequests)(
    'an evacuation whose request is cut (%s after %i bytes) is not sent again, by the console or by its page',
    async (kind, afterBytes) => {
      const { key, reply, executions } = await evacuate({ at: 'request', kind, afterBytes })
      expect(reply.status, reply.text).toBe(504)
      expect(problemOf(reply)).toMatchObject({ code: 'outcome_unknown', outcome: 'unknown' })
      const asked = app.cluster.requests.filter(({ method }) => method === 'POST').length
      expect((await replay(key)).status).toBe(504)
      expect(app.cluster.requests.filter(({ method }) => method === 'POST')).toHaveLength(asked)
      expect(executions()).toBe(0)
    },
  )

  test('one that was answered is answered the same again, and done once', async () => {
    const key = randomUUID()
    const before = app.cluster.executions.length
    const first = await changeState(admin, clusterName, 'server2', 'evacuate', key)
    expect(first.status).toBe(202)
    const again = await replay(key)
    expect([again.status, again.text]).toEqual([202, first.text])
    expect(app.cluster.executions.length - before).toBe(1)
    const other = await admin.post(pathOf('server3'), { action: 'evacuate', mode: '' }, key)
    expect(problemOf(other).code).toBe('idempotency_key_reused')
    expect(app.cluster.executions.length - before).toBe(1)
    await evacuated()
  })

  test('two at once with one key are one', async () => {
    const key = randomUUID()
    const before = app.cluster.executions.length
    const replies = await Promise.all(Array.from({ length: 5 }, () => replay(key)))
    expect(replies.filter(({ status }) => status === 202).length).toBeGreaterThan(0)
    expect(replies.map(({ status }) => status).filter((status) => status !== 202 && status !== 409)).toEqual([])
    expect(app.cluster.executions.length - before).toBe(1)
    await evacuated()
  })

  test('the person who began it is named, also when its answer was lost', async () => {
    const from = live.told.length
    await evacuate({ at: 'response', kind: 'reset', afterBytes: 0 })
    const ended = await live.next('operation-changed', ({ operation }) => operation.status === 'success', from)
    const { operations } = listOperations.reply.parse((await admin.get(`/api/clusters/${clusterName}/operations`)).json)
    expect(operations.map(({ id }) => id)).toContain(ended.event.operation.id)
    const { executions } = app.cluster
    expect(executions.at(-1)?.who).toEqual({ protocol: 'oidc', name: people.admin.email })
    await evacuated()
  })
})

async function evacuate(fault: Pick<ExchangeFault, 'at' | 'kind' | 'afterBytes'>) {
  const before = app.cluster.executions.length
  const armed = app.cluster.faultAt({ method: 'POST', path: /\/state$/, ...fault })
  const key = randomUUID()
  const reply = await changeState(admin, clusterName, 'server2', 'evacuate', key)
  armed.disarm()
  expect(armed.fired).toBe(1)
  return { key, reply, executions: () => app.cluster.executions.length - before }
}

function replay(key: string) {
  return admin.post(pathOf('server2'), { action: 'evacuate', mode: '' }, key)
}

function pathOf(member: string): string {
  return `/api/clusters/${clusterName}/members/${member}/state`
}

/** In the cluster itself, whose work goes on after its answer. */
async function evacuated(): Promise<void> {
  const member = app.cluster.state.member('server2')
  await eventually(
    () => member.state,
    (state) => state === 'evacuated',
  )
}

async function recorded(requestId: string, wanted: readonly string[]): Promise<void> {
  const found = await eventually(
    async () =>
      (await app.history())
        .filter(({ req }) => req?.id === requestId)
        .map(({ phase, out }) => [phase, out?.code ?? out?.opStatus].filter(Boolean).join(' ')),
    (records) => records.length >= wanted.length,
  )
  expect(found).toEqual(wanted)
}
