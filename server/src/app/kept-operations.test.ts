import { randomUUID } from 'node:crypto'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { getOperation, listKeptOperations, listOperations } from '@malleus/shared/api/operations.ts'
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { ExchangeFault } from '../../testing/stand-in/faults.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { problemOf } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 60_000 })

let app: TestApp
beforeEach(async () => {
  app = await startTestApp({
    cluster: { operationKeepMs: 50 },
    settings: {
      limits: { mutationMs: 2_000, requestsPerSecond: 10_000, requestBurst: 100_000, anonymousPerSecond: 10_000 },
    },
  })
})
afterEach(() => app.close())

const at = (rest: string) => `/api/clusters/${clusterName}/${rest}`

async function listed(browser: TestBrowser): Promise<ReplyOf<typeof listOperations>> {
  return listOperations.reply.parse((await browser.get(at('operations'))).json)
}

async function kept(browser: TestBrowser): Promise<readonly Operation[]> {
  return listKeptOperations.reply.parse((await browser.get(at('kept-operations'))).json).operations
}

async function detail(browser: TestBrowser, id: string) {
  const reply = await browser.get(at(`operations/${id}`))
  return { status: reply.status, ...(reply.status === 200 && getOperation.reply.parse(reply.json)) }
}

const words = (operations: readonly Operation[]) =>
  operations.map(({ description, status }) => `${description} ${status}`)

/** Work that this browser has heard of. */
async function begin(browser: TestBrowser, options: Partial<Parameters<TestApp['cluster']['startOperation']>[0]> = {}) {
  const work = app.cluster.startOperation({ member: 'server3', description: 'Backing up instance', ...options })
  await eventually(
    () => listed(browser),
    ({ operations }) => operations.some(({ id }) => id === work.id),
  )
  return work
}

describe('what ended', () => {
  it('is there when Incus has forgotten it, and after the console was started anew', async () => {
    const viewer = await app.signIn('viewer')
    const work = await begin(viewer, { metadata: { stage: 'x', secret: 'canary' } })
    app.cluster.operations.finish(work, 'Failure', 'no space left')
    await eventually(
      () => kept(viewer),
      (all) => all.some(({ status }) => status === 'failure'),
    )
    await eventually(
      () => app.cluster.operations.all().length,
      (left) => left === 0,
    )
    await app.restart()

    const again = await app.signIn('viewer')
    const [operation] = await kept(again)
    expect(operation).toMatchObject({ id: work.id, status: 'failure', error: 'no space left', location: 'server3' })
    expect(operation?.endedAt).not.toBeNull()
    expect(words((await listed(again)).operations)).toEqual(['Backing up instance failure'])
    const found = await detail(again, work.id)
    expect(found).toMatchObject({ operation: { status: 'failure' }, told: { err: 'no space left', class: 'task' } })
    expect(JSON.stringify(found)).not.toContain('canary')
  })

  it('while the console was away is looked for, and said to be unknown where nothing is found', async () => {
    const viewer = await app.signIn('viewer')
    const lost = await begin(viewer)
    const runs = await begin(viewer, { description: 'Migrating instance' })
    await eventually(
      () => kept(viewer),
      (all) => all.length === 2,
    )
    app.cluster.operations.finish(lost, 'Success')
    await app.restart()
    const again = await app.signIn('viewer')
    const operations = await eventually(
      async () => (await listed(again)).operations,
      (all) => all.some(({ status }) => status === 'unknown'),
    )
    expect(operations.find(({ id }) => id === lost.id)).toMatchObject({ status: 'unknown', looking: true })
    expect(operations.find(({ id }) => id === runs.id)).toMatchObject({ status: 'running' })
  })

  it('and was begun here has its end recorded, although the console was started anew meanwhile', async () => {
    const admin = await app.signIn('admin')
    const live = await app.listen(admin)
    const reply = await admin.post(at('members/server1/state'), { action: 'evacuate', mode: '' }, randomUUID())
    expect(reply.status, reply.text).toBe(202)
    await live.next('operation-changed', ({ operation }) => operation.status === 'success')
    await app.restart()
    const ends = (await app.history()).filter(({ action, out }) => action === 'member.evacuate' && out?.opStatus)
    expect(ends.map(({ out }) => out?.opStatus)).toEqual(['success'])
    expect(await kept(await app.signIn('admin'))).toMatchObject([
      { status: 'success', startedBy: { name: people.admin.name, here: true } },
    ])
  })
})

describe('T-scope-leak: operations', () => {
  it('that somebody may not see, or never saw, are in no list of theirs and have no address', async () => {
    app.cluster.setAccess(people.viewer.email, { may: 'view', projects: ['web'] })
    const admin = await app.signIn('admin')
    const viewer = await app.signIn('viewer')
    const live = await viewer.live()
    const hidden = await begin(admin, {
      project: 'default',
      resources: { instances: ['/1.0/instances/hidden-name'] },
    })
    const web = await begin(viewer, { project: 'web', resources: { instances: ['/1.0/instances/w1?project=web'] } })
    app.cluster.operations.finish(hidden, 'Success')
    await eventually(
      () => kept(admin),
      (all) => all.some(({ id, status }) => id === hidden.id && status === 'success'),
    )
    await live.next('operation-changed', ({ operation }) => operation.id === web.id)
    await app.restart()
    const again = await app.signIn('viewer')
    const all = [live.told, await listed(again), await kept(again)]
    expect(JSON.stringify(all)).not.toMatch(new RegExp(`${hidden.id}|hidden-name`))
    expect((await detail(again, hidden.id)).status).toBe(404)
    expect((await detail(again, web.id)).status).toBe(200)
    const operator = await app.signIn('operator')
    expect((await kept(operator)).map(({ id }) => id)).not.toContain(hidden.id)
  })

  it('of a project that was taken from somebody are shown to them no more', async () => {
    const viewer = await app.signIn('viewer')
    const work = await begin(viewer, { project: 'default', resources: { instances: ['/1.0/instances/c1'] } })
    app.cluster.operations.finish(work, 'Success')
    await eventually(
      () => kept(viewer),
      (all) => all.some(({ status }) => status === 'success'),
    )
    app.cluster.setAccess(people.viewer.email, { may: 'view', projects: ['web'] })
    await app.restart()
    const again = await app.signIn('viewer')
    await eventually(
      () => kept(again),
      (all) => all.length === 0,
    )
    expect((await detail(again, work.id)).status).toBe(404)
  })
})

describe('cancelling', () => {
  const cancel = (browser: TestBrowser, id: string, project: string | null = null, key: string = randomUUID()) =>
    browser.post(at(`operations/${id}/cancel`), { project }, key)
  const deletions = () => app.cluster.executions.filter(({ method }) => method === 'DELETE').length

  it('is recorded before and after, sent once to the server that does the work, and seen by all', async () => {
    const operator = await app.signIn('operator')
    const live = await app.listen(operator)
    const work = await begin(operator)
    const key = randomUUID()
    const reply = await cancel(operator, work.id, null, key)
    expect(reply.status, reply.text).toBe(202)
    expect(reply.headers['x-malleus-via']).toBe('server3')
    await live.next('operation-changed', ({ operation }) => operation.status === 'cancelled')
    const records = await eventually(
      async () => (await app.history()).filter(({ action }) => action === 'operation.cancel'),
      ({ length }) => length > 1,
    )
    expect(records.map(({ phase, object, actor, out }) => [phase, object, actor?.name, out?.status ?? null])).toEqual([
      ['intent', work.id, people.operator.name, null],
      ['outcome', work.id, people.operator.name, 202],
    ])
    expect((await cancel(operator, work.id, null, key)).text).toBe(reply.text)
    expect(deletions()).toBe(1)
  })

  it('is not for viewers, nor for what cannot be cancelled, has ended, or is on a server that does not answer', async () => {
    const viewer = await app.signIn('viewer')
    const operator = await app.signIn('operator')
    const firm = await begin(operator, { mayCancel: false })
    const ended = await begin(operator)
    app.cluster.operations.finish(ended, 'Success')
    await eventually(
      () => listed(operator),
      ({ operations }) => operations.some(({ status }) => status === 'success'),
    )
    expect((await cancel(viewer, firm.id)).status).toBe(403)
    expect(problemOf(await cancel(operator, firm.id))).toMatchObject({ code: 'not_possible' })
    expect(problemOf(await cancel(operator, ended.id))).toMatchObject({ code: 'not_possible' })
    expect((await cancel(operator, randomUUID())).status).toBe(404)
    expect((await cancel(operator, firm.id, 'web')).status).toBe(404)

    const waits = await begin(operator)
    await app.cluster.break('server3', 'stuck')
    await eventually(
      () => clusterSeenBy(operator),
      ({ worst }) => worst === 'ejected',
    )
    expect(problemOf(await cancel(operator, waits.id)).detail).toContain('server3 does not answer')
    expect(deletions()).toBe(0)
  })

  describe('T-never-twice', () => {
    test.each<readonly [ExchangeFault['kind'], 'request' | 'response', number]>([
      ['reset', 'response', 0],
      ['close', 'response', 40],
      ['stall', 'response', 0],
      [503, 'response', 0],
      ['reset', 'request', 30],
      ['stall', 'request', 60],
    ])(
      'a cancellation whose exchange suffers %s in the %s after %i bytes is sent once',
      async (kind, where, afterBytes) => {
        const operator = await app.signIn('operator')
        const live = await app.listen(operator)
        const work = await begin(operator)
        const armed = app.cluster.faultAt({ method: 'DELETE', path: /operations/, at: where, kind, afterBytes })
        const key = randomUUID()
        const reply = await cancel(operator, work.id, null, key)
        armed.disarm()
        expect(armed.fired).toBe(1)
        expect(reply.status, reply.text).toBe(504)
        const { requestId, outcome } = problemOf(reply)
        expect(outcome).toBe('unknown')
        const asked = app.cluster.requests.filter(({ method }) => method === 'DELETE').length
        expect((await cancel(operator, work.id, null, key)).status).toBe(504)
        expect(app.cluster.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(asked)
        expect(deletions()).toBeLessThanOrEqual(1)
        if (where === 'request') return
        const found = await live.next('outcome-found', (event) => event.requestId === requestId)
        expect(found.event).toMatchObject({ action: 'operation.cancel', object: work.id, outcome: 'confirmed' })
      },
    )
  })
})

describe('the list of operations', () => {
  it('takes no longer while a server that does work is stuck, and says what is not current', async () => {
    const viewer = await app.signIn('viewer')
    const work = await begin(viewer)
    await app.cluster.break('server3', 'stuck')
    await eventually(
      () => clusterSeenBy(viewer),
      ({ worst }) => worst === 'ejected',
    )
    const tries: number[] = []
    for (let count = 0; count < 5; count += 1) {
      const begun = performance.now()
      const { operations, members } = await listed(viewer)
      await kept(viewer)
      await detail(viewer, work.id)
      tries.push(performance.now() - begun)
      expect(operations.map(({ id }) => id)).toEqual([work.id])
      expect(members.map(({ name, freshness, count: rows }) => [name, freshness.kind, rows])).toEqual([
        ['server1', 'fresh', 0],
        ['server2', 'fresh', 0],
        ['server3', 'stale', 1],
      ])
    }
    // All three of them; the median, for this machine may have other work.
    expect(tries.toSorted((a, b) => a - b)[2]).toBeLessThan(300)
  })

  it('is empty for a person who signs in while a server is stuck, and says that it is being asked for', async () => {
    await app.cluster.break('server3', 'stuck')
    const operator = await app.signIn('operator')
    const begun = performance.now()
    const { freshness } = await listed(operator)
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(freshness.kind).toBe('unavailable')
  })
})
