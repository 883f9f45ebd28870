import { listAudit } from '@malleus/shared/api/audit.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import type { RequestContext, RouteInput } from '../http/route.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { openAuditLog } from './audit-log.ts'
import { auditEntry } from './record.ts'
import { auditRoutes } from './routes.ts'
import type { VisibleHistory } from './routes.ts'

let verified: unknown
let list: (query: Record<string, string>, visible?: VisibleHistory) => Promise<string[]>
const report = { ok: true, at: '2026-01-01T00:00:00.000Z', records: 5, message: null }

beforeEach(async () => {
  const store = new MemoryAuditStore()
  const log = await openAuditLog({ store, clock: new ManualClock(), random: systemRandom, logger: silentLogger })
  for (const [action, cluster, object] of [
    ['member.evacuate', 'prod-eu', 'server1'],
    ['member.evacuate', 'prod-us', 'server1'],
    ['session.sign-in', null, null],
    ['member.list', 'prod-eu', null],
    ['member.restore', 'prod-eu', 'server2'],
  ] as const) {
    await log.intent(auditEntry({ action, cluster, object }))
  }
  list = async (query, visible = { clusters: ['prod-eu', 'prod-us'], withoutCluster: true }) => {
    const [row] = auditRoutes({ log, verification: { report }, visibleTo: () => visible })
    const input = { params: {}, query: listAudit.query.parse(query), body: undefined } as RouteInput<typeof listAudit>
    const reply = listAudit.reply.parse(await row?.handler({} as RequestContext, input))
    verified = reply.verification
    return reply.records.map(({ action, cluster }) => `${action} ${cluster ?? '-'}`)
  }
})

describe('the list of the access history', () => {
  test('has the newest first, without those of people only looking', async () => {
    expect(await list({})).toEqual([
      'member.restore prod-eu',
      'session.sign-in -',
      'member.evacuate prod-us',
      'member.evacuate prod-eu',
      'chain.begin -',
    ])
  })

  test('says how the last check of all of it ended', async () => {
    await list({})
    expect(verified).toEqual(report)
  })

  test('has reads where they are asked for, and no more than asked for', async () => {
    expect(await list({ reads: 'true', limit: '2' })).toEqual(['member.restore prod-eu', 'member.list prod-eu'])
  })

  test('has one cluster, and what belongs to none, or one server where that is asked for', async () => {
    expect(await list({ cluster: 'prod-us' })).toEqual([
      'session.sign-in -',
      'member.evacuate prod-us',
      'chain.begin -',
    ])
    expect(await list({ cluster: 'prod-eu', member: 'server1' })).toEqual(['member.evacuate prod-eu'])
  })

  test('has nothing of clusters that the person may not see, also when they are named', async () => {
    const visible = { clusters: ['prod-us'], withoutCluster: false }
    expect(await list({}, visible)).toEqual(['member.evacuate prod-us'])
    expect(await list({ cluster: 'prod-eu' }, visible)).toEqual([])
    expect(await list({}, { clusters: [], withoutCluster: false })).toEqual([])
  })
})
