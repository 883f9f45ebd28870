import { listClusters } from '@malleus/shared/api/clusters.ts'
import { endpoint } from '@malleus/shared/api/endpoint.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestDoor } from '../../testing/test-door.ts'
import { everyRole, startTestDoor } from '../../testing/test-door.ts'
import { clusterName } from '../../testing/test-world.ts'
import { route } from '../http/route.ts'
import { createPolicy } from '../policy/policy.ts'
import { discreet } from './discreet.ts'
import { liveViewOf } from './live-view.ts'

const said = 'dial tcp 10.20.0.11:8443: connection refused'
const policy = createPolicy(everyRole, ['prod-eu', 'lab'])
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function start(): Promise<TestDoor> {
  const reply = z.object({ message: z.string() })
  const summary = 'A question.'
  const inOne = endpoint({ method: 'GET', path: '/clusters/:cluster/question', summary, reply })
  const ofAll = endpoint({ method: 'GET', path: '/question', summary, reply })
  const handler = () => Promise.resolve({ message: said })
  const rows = [
    route({ endpoint: inOne, action: 'member.list', class: 'read', handler }),
    route({ endpoint: ofAll, action: 'cluster.list', class: 'read', object: () => null, handler }),
  ]
  const door = await startTestDoor({ routes: discreet(rows, policy), clusters: policy.clusters })
  ends.push(() => door.close())
  return door
}

describe('where a member is', () => {
  test.each(['/api/clusters/prod-eu/question', '/api/question'])(
    'is said to administrators in the words of %s, and to nobody else',
    async (path) => {
      const { ask } = await start()
      expect((await ask(path, { as: 'admin' })).text).toContain('10.20.0.11:8443')
      for (const as of ['viewer', 'operator'] as const) {
        const { status, text } = await ask(path, { as })
        expect([status, text]).toEqual([200, '{"message":"dial tcp a server: connection refused"}'])
      }
    },
  )

  test('is told live to administrators only too', () => {
    const failure = { phase: 'connect' as const, message: said, at: '2026-11-22T10:00:00.000Z' }
    const since = '2026-11-22T10:00:00.000Z'
    const health = {
      standing: 'ejected',
      symptom: 'refusing',
      since,
      answerMs: null,
      answeredAt: null,
      failure,
    } as const
    const event = { kind: 'member-health-changed', cluster: 'prod-eu', member: 'server1', health } as const
    const watches = { hold: () => expect.fail('nobody listens') } as never
    const seenBy = (group: string) => {
      const principal = {
        iss: 'https://idp.example.net',
        sub: group,
        name: group,
        email: null,
        groups: [group],
        roles: [],
        authTime: null,
        amr: [],
        sessionTag: group,
      }
      const view = liveViewOf({ policy, watches }, { principal, scope: () => expect.fail('nobody listens') })
      return JSON.stringify(view.worded?.(event))
    }
    expect(seenBy('admin')).toContain('10.20.0.11:8443')
    expect(seenBy('viewer')).toContain('dial tcp a server: connection refused')
  })
})

describe('who only reads the history', () => {
  test('sees that there is a cluster, and nothing that administrators should know of it', async () => {
    const app: TestApp = await startTestApp()
    ends.push(() => app.close())
    const [admin, auditor] = [await app.signIn('admin'), await app.signIn('auditor')]
    expect((await clusterSeenBy(admin)).findings.length).toBeGreaterThan(0)
    const { clusters } = listClusters.reply.parse((await auditor.get('/api/clusters')).json)
    expect(clusters.map(({ name, findings }) => [name, findings])).toEqual([[clusterName, []]])
  })
})
