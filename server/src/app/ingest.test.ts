import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { KeyPair } from '../../testing/certificate-authority.ts'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { ask } from '../../testing/stand-in/test-client.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

const tool = selfSigned({ commonName: 'tool' })
const stranger = selfSigned({ commonName: 'stranger' })

let app: TestApp
let client: string
beforeEach(async () => {
  app = await startTestApp()
  client = app.cluster.trust(tool.certificate, { name: 'tool' })
  // From then on it is known what the console asks for itself.
  await until((record) => record.action === 'chain.begin')
})
afterEach(() => app.close())

describe('what others do', () => {
  test('is in the history: reads, changes and strangers, with address and server', async () => {
    await untilFollowed('server2')
    await askAs(tool, 'server2', '/1.0/instances?recursion=1')
    await askAs(tool, 'server2', '/1.0/instances?recursion=1')
    await askAs(stranger, 'server3', '/1.0/instances')
    const read = await until(({ action, actor }) => action === 'request.read' && actor?.name === client)
    expect(read).toMatchObject({
      source: 'incus',
      actor: { name: client, protocol: 'tls' },
      src: { ip: '127.0.0.1' },
      up: { via: 'server2' },
      req: { method: 'GET', path: '/1.0/instances', query: ['recursion'], count: 1 },
      decision: { allow: true },
    })
    const refused = await until(({ action }) => action === 'request.refused')
    expect(refused).toMatchObject({ src: { ip: '127.0.0.1' }, up: { via: 'server3' }, decision: { allow: false } })
  })

  test('what people do here is there once as theirs, and marked where a server tells of it too', async () => {
    await untilFollowed('server1')
    const admin = await app.signIn('admin')
    await admin.get('/api/clusters/prod-eu/members')
    const { status } = await admin.post('/api/clusters/prod-eu/members/server3/state', {
      action: 'evacuate',
      mode: 'stop',
    })
    expect(status).toBeLessThan(300)
    const line = await until(({ action, object }) => action === 'request.change' && object === 'server3')
    expect(line.decision.rule).toBe('through this console')
    await until(({ action }) => action === 'cluster-member-evacuated')
    const history = await app.history()
    const reads = history.filter(({ action }) => action === 'request.read' || action === 'request.open')
    // Only what was asked to see whether it is followed.
    expect(reads.map(({ req }) => req?.path)).toEqual(['/1.0/projects'])
  })
})

describe('a server that is not heard', () => {
  test('leaves a gap with its beginning, end, server and reason', async () => {
    await untilFollowed('server3')
    await app.cluster.break('server3', 'refusing')
    await eventually(
      () => app.logs.some((line) => line.includes('the request log of a member ended')),
      (ended) => ended,
    )
    await app.cluster.mend('server3')
    const gap = await until(({ action, object }) => action === 'requests.gap' && object === 'server3')
    const { from = '', to = '' } = gap.during ?? {}
    expect(Date.parse(to)).toBeGreaterThan(Date.parse(from))
    expect(gap.decision.rule).toContain('server3')
  })

  test('a console that is started again says how long it was away', async () => {
    await untilFollowed('server1')
    await app.restart()
    await until(({ action }) => action === 'events.gap')
    for (const server of ['server1', 'server2', 'server3']) {
      const gap = await until(({ action, object }) => action === 'requests.gap' && object === server)
      expect(gap.decision.rule).toBe('the console was not running')
    }
  })
})

function askAs(who: KeyPair, server: string, path: string) {
  return ask(`127.0.0.1:${app.cluster.port(server)}`, path, { client: who })
}

/** The first record of the history for which that is so. */
async function until(is: (record: AuditRecord) => boolean): Promise<AuditRecord> {
  const found = await eventually(
    async () => (await app.history()).find(is),
    (record) => record !== undefined,
  )
  if (found === undefined) throw new Error('it never came')
  return found
}

/** Asks until the server's log is read; by then it is also known from where the console asks. */
async function untilFollowed(server: string): Promise<void> {
  const mark = selfSigned({ commonName: `mark of ${server}` })
  const fingerprint = app.cluster.trust(mark.certificate, { name: `mark of ${server}` })
  await eventually(
    async () => {
      await askAs(mark, server, '/1.0/projects')
      return (await app.history()).some(({ actor }) => actor?.name === fingerprint)
    },
    (isFollowed) => isFollowed,
    15_000,
  )
}
