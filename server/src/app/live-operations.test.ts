import { listOperations } from '@malleus/shared/api/operations.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { KeyPair } from '../../testing/certificate-authority.ts'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { ask } from '../../testing/stand-in/test-client.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { changeState, operationIn } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
let commandLine: KeyPair

beforeAll(async () => {
  app = await startTestApp({ cluster: { moveMs: 60, instances: 2 } })
  commandLine = selfSigned({ commonName: 'mika@laptop' })
  app.cluster.trust(commandLine.certificate, { name: 'mika@laptop' })
})
afterAll(() => app.close())

describe('background work', () => {
  test('begun by another client is on the live stream and in the list within a second, and its end is recorded', async () => {
    const viewer = await app.signIn('viewer')
    const live = await app.listen(viewer)
    const from = live.told.length

    const begunAt = Date.now()
    const reply = await ask(app.cluster.address('server3'), '/1.0/cluster/members/server2/state', {
      method: 'POST',
      client: commandLine,
      body: { action: 'evacuate' },
    })
    const id = reply.operation.split('/').at(-1) ?? ''
    const first = await live.next('operation-changed', ({ operation }) => operation.id === id, from)
    expect(first.at - begunAt).toBeLessThan(1_000)
    expect(first.event.operation).toMatchObject({ location: 'server2', startedBy: null, error: null })
    const listed = listOperations.reply.parse((await viewer.get(`/api/clusters/${clusterName}/operations`)).json)
    expect(listed.operations.map((operation) => operation.id)).toContain(id)

    await live.next('operation-changed', ({ operation }) => operation.progress !== null, from)
    await live.next('operation-changed', ({ operation }) => operation.id === id && operation.status === 'success', from)
    await live.next('resource-changed', ({ action }) => action === 'cluster-member-evacuated', from)
    const [record] = await eventually(
      async () => (await app.history()).filter(({ action }) => action === 'cluster-member-evacuated'),
      (records) => records.length > 0,
    )
    expect(record).toMatchObject({
      phase: 'event',
      source: 'incus',
      cluster: clusterName,
      object: 'server2',
      actor: { name: fingerprintOf(commandLine.certificate), protocol: 'tls', roles: [] },
    })
  })

  test('begun here is recorded from its intent to its end, and everybody is told who began it', async () => {
    const admin = await app.signIn('admin')
    const viewer = await app.signIn('viewer')
    const [live, watching] = [await app.listen(admin), await app.listen(viewer)]

    const reply = await changeState(admin, clusterName, 'server1', 'evacuate')
    expect(reply.status, reply.text).toBe(202)
    const { id, startedBy } = operationIn(reply)
    expect(startedBy).toEqual({ name: people.admin.name, here: true })
    await live.next('operation-changed', ({ operation }) => operation.id === id && operation.status === 'success')
    const seen = await watching.next(
      'operation-changed',
      ({ operation }) => operation.id === id && operation.status === 'success',
    )
    expect(seen.event.operation.startedBy).toMatchObject({ name: people.admin.name })

    const records = await eventually(
      async () =>
        (await app.history()).filter(({ object, cluster }) => object === 'server1' && cluster === clusterName),
      (found) => found.some(({ out }) => out?.opStatus === 'success'),
    )
    const changes = records.filter(({ action }) => action === 'member.evacuate')
    expect(
      changes.map(({ phase, out }) => [phase, out?.status ?? null, out?.op ?? null, out?.opStatus ?? null]),
    ).toEqual([
      ['intent', null, null, null],
      ['outcome', 202, id, null],
      ['outcome', null, id, 'success'],
    ])
    expect(new Set(changes.map(({ actor }) => actor?.sub))).toEqual(new Set([people.admin.sub]))
    expect(new Set(changes.map(({ req }) => req?.id)).size).toBe(1)
    expect(changes[1]?.up).toMatchObject({ mode: 'bearer', attempts: 1 })
    const { executions } = app.cluster
    expect(Date.parse(changes[0]?.ts ?? '')).toBeLessThanOrEqual(executions.at(-1)?.at ?? 0)
  })

  test('that is lost with its server has an unknown end, which is said', async () => {
    const viewer = await app.signIn('viewer')
    const live = await app.listen(viewer)
    const { id } = app.cluster.startOperation({ member: 'server3', description: 'Backing up instance' })
    await live.next('operation-changed', ({ operation }) => operation.id === id)
    await app.cluster.break('server3', 'refusing')
    await app.cluster.mend('server3')
    const end = await eventually(
      async () => {
        const { json } = await viewer.get(`/api/clusters/${clusterName}/operations`)
        return listOperations.reply.parse(json).operations.find((operation) => operation.id === id)
      },
      (operation) => operation?.status === 'unknown',
    )
    expect(end?.mayCancel).toBe(false)
  })
})
