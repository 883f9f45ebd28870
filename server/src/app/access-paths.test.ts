import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { listAccessPaths } from '@malleus/shared/api/access-paths.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { LoopbackFront } from '../../testing/loopback-front.ts'
import { startLoopbackFront } from '../../testing/loopback-front.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { startStandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'
import type { StandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000, hookTimeout: 45_000 })

let cluster: StandInCluster
let balancer: LoopbackFront
let app: TestApp
let viewer: TestBrowser

beforeAll(async () => {
  // The fronts have to be in the configuration before the console is there: they are given their members then.
  balancer = await startLoopbackFront([])
  app = await startTestApp({
    clusterSettings: {
      accessPaths: [
        { name: 'lb', kind: 'load-balancer', address: balancer.address },
        { name: 'localhost', kind: 'dns', port: 1 },
        { name: 'socket', kind: 'local', socket: 'no-such.socket' },
      ],
    },
    before: ({ cluster: started }) => {
      cluster = started
      balancer.members = cluster.members.map((name) => cluster.port(name))
    },
  })
  viewer = await app.signIn('viewer')
})
afterAll(async () => {
  await app.close()
  await balancer.close()
})

async function pathNamed(name: string): Promise<AccessPath> {
  const reply = await viewer.get(`/api/clusters/${clusterName}/access-paths`)
  const found = listAccessPaths.reply.parse(reply.json).paths.find((path) => path.name === name)
  if (found === undefined) throw new Error(`there is no path ${name}: ${reply.text}`)
  return found
}

const until = (name: string, holds: (path: AccessPath) => boolean) => eventually(() => pathNamed(name), holds)
const texts = ({ checks }: AccessPath) => checks.map(({ text }) => text)

describe('the ways into a cluster', () => {
  test('are visited as new clients, and told with what they are', async () => {
    const path = await until('lb', ({ verdict }) => verdict.word === 'Good')
    expect(path).toMatchObject({ kind: 'load-balancer', tlsEnds: 'member', target: balancer.address })
    expect(path.firstAnswer.nowMs).toBeGreaterThan(0)
    expect(path.works.find(({ use }) => use === 'client-certificates')?.works).toBe('yes')
    expect(path.servers.map(({ name }) => name)).toEqual(['server1', 'server2', 'server3'])
    // Nothing listens at that port of this machine; where a name leads here, the configuration allows it.
    const dns = await until('localhost', ({ verdict }) => verdict.level === 'bad')
    expect(dns.verdict.word).toBe('Down')
    expect((await until('socket', ({ verdict }) => verdict.level === 'bad')).checks[0]?.fix?.text).toContain(
      'no such socket',
    )
    expect((await until('This console', ({ verdict }) => verdict.level === 'good')).kind).toBe('console')
  })

  test('somebody else behind a way is named, and is shown nothing of this console', async () => {
    await until('lb', ({ verdict }) => verdict.word === 'Good')
    const other = await startStandInCluster({
      members: 1,
      certificate: selfSigned({ commonName: 'other', names: ['127.0.0.1'] }),
    })
    try {
      balancer.members = other.members.map((name) => other.port(name))
      const path = await until('lb', ({ tlsEnds }) => tlsEnds === 'before')
      expect(path.verdict).toMatchObject({ level: 'info', word: 'OIDC only' })
      expect(other.requests.map(({ method, url }) => `${method} ${url}`)).not.toEqual([])
      for (const request of other.requests)
        expect(request).toMatchObject({ method: 'GET', url: '/1.0', peerFingerprint: null, authorization: null })
    } finally {
      balancer.members = cluster.members.map((name) => cluster.port(name))
      await other.close()
    }
  })

  test('configurations name the servers, so they are for those who administer the cluster', async () => {
    const admin = await app.signIn('admin')
    expect((await admin.get(`/api/clusters/${clusterName}/fronts/haproxy`)).status).toBe(200)
    expect((await viewer.get(`/api/clusters/${clusterName}/fronts/haproxy`)).status).toBe(403)
    expect((await admin.get(`/api/clusters/${clusterName}/fronts/no-such-front`)).status).toBe(404)
    expect((await admin.get(`/api/clusters/${clusterName}/fronts/haproxy?address=a%3Bb`)).status).toBe(400)
  })

  test('a balancer that does not notice a stuck server is named, within two visits, and what it cost is kept', async () => {
    await until('lb', ({ verdict }) => verdict.word === 'Good')
    const live = await viewer.live()
    await cluster.break('server3', 'stuck')
    const held = await until('lb', (path) => texts(path).includes('server3 still gets connections'))
    expect(held.verdict).toMatchObject({ level: 'bad', word: 'At risk' })
    await live.next('access-paths-changed')
    // A balancer with a real check would take it out.
    balancer.members = cluster.members.filter((name) => name !== 'server3').map((name) => cluster.port(name))
    await until('lb', ({ verdict }) => verdict.level === 'good')
    await cluster.mend('server3')
    const after = await until('lb', ({ incidents }) => (incidents[0]?.endedAt ?? null) !== null)
    expect(after.incidents[0]).toMatchObject({ member: 'server3' })
    expect(after.incidents[0]?.clients).toBeGreaterThan(0)
    expect(after.firstAnswer.costs.find(({ failure }) => failure === 'stuck')?.from).toBe('measured')

    await app.restart()
    viewer = await app.signIn('viewer')
    const kept = await until('lb', ({ incidents }) => incidents.length > 0)
    expect(kept.incidents[0]).toMatchObject({ member: 'server3', clients: after.incidents[0]?.clients })
  })
})
