import { X509Certificate } from 'node:crypto'
import type { MemberChange } from '@malleus/shared/api/member-health.ts'
import { IncusMember } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { openDatabase } from '../database/database.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import type { Observation } from '../health/health.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { KeptChange, MemberChangeStore } from './member-change-store.ts'
import { sqliteMemberChangeStore } from './member-change-store.sqlite.ts'
import { MemberChanges } from './member-changes.ts'
import type { LastPresented } from './member-view.ts'

const good: Observation = { kind: 'probe-answered', answerMs: 1, fresh: true }
const failed: Observation = {
  kind: 'probe-failed',
  failure: { phase: 'tls', how: 'silent', fresh: true, message: 'No TLS handshake.' },
}
const certificates = [selfSigned({ commonName: 'one' }), selfSigned({ commonName: 'two' })].map(
  ({ certificate }) => new X509Certificate(certificate),
)

function memoryStore() {
  const kept: KeptChange[] = []
  const disk = { full: false }
  const need = () => {
    if (disk.full) throw new Error('the disk is full')
  }
  const store: MemberChangeStore = {
    write: async (_, changes) => {
      need()
      kept.push(...changes)
    },
    read: async (_, member) => {
      const changes = kept.filter((each) => each.member === member).map(({ change }) => change)
      return { changes: changes.toReversed(), standingBefore: null, oldestAt: null, kept: changes.length }
    },
    latest: async () => {
      need()
      return kept
    },
    prune: async () => need(),
  }
  return { store, kept, disk }
}

async function begin(store: MemberChangeStore, clock = new ManualClock()) {
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  const reported = new ReportedMembers()
  const presentedChanges = new Subscribable<string>()
  const presented = new Map<string, LastPresented>()
  const names = ['server1', 'server2']
  const changes = new MemberChanges({
    cluster: 'prod',
    board,
    members: () => names,
    reported,
    presented: (member) => presented.get(member) ?? null,
    onPresented: (listener) => presentedChanges.subscribe(listener),
    store,
    clock,
    logger: silentLogger,
  })
  board.retain(names)
  changes.start()
  await clock.pass(0)
  const report = (status: string) =>
    reported.note(
      names.map((name) => IncusMember.parse({ server_name: name, url: `https://${name}:8443`, status, message: '' })),
      clock.now(),
    )
  const present = (certificate: X509Certificate | undefined, member = 'server1') => {
    presented.set(member, { certificate: certificate!, verdict: 'same', seenAt: clock.now() })
    presentedChanges.publish(member)
  }
  return { clock, board, changes, report, present }
}

const short = (change: MemberChange) => {
  switch (change.kind) {
    case 'standing':
      return `${change.before?.standing ?? '-'} > ${change.after.standing} ${change.after.symptom ?? '-'}: ${change.reason?.message ?? '-'}`
    case 'reported':
    case 'certificate':
      return `${change.kind} ${change.before ?? '-'} > ${change.after}`
    case 'left':
      return 'left'
  }
}

describe('what changed of a member', () => {
  test('is every change of its standing and symptom, with its reason, and no answer more', async () => {
    const { store, kept } = memoryStore()
    const { board, clock } = await begin(store)
    for (let n = 0; n < 10; n += 1) board.observe('server1', good)
    for (let n = 0; n < 10; n += 1) board.observe('server1', failed)
    for (let n = 0; n < 3; n += 1) board.observe('server1', good)
    await clock.pass(0)
    expect(kept.map(({ change }) => short(change))).toEqual([
      '- > healthy -: -',
      'healthy > suspect stuck: No TLS handshake.',
      'suspect > ejected stuck: No TLS handshake.',
      'ejected > probation -: No TLS handshake.',
    ])
  })

  test('is what the cluster calls it, and which certificate it presents, told by what was known before', async () => {
    const { store, kept } = memoryStore()
    const first = await begin(store)
    first.report('Online')
    first.present(certificates[0])
    first.report('Evacuated')
    first.report('Evacuated')
    await first.clock.pass(0)
    const [one, two] = certificates.map(({ fingerprint256 }) => fingerprint256.replaceAll(':', '').toLowerCase())
    const ofServer1 = () => kept.filter(({ member }) => member === 'server1').map(({ change }) => short(change))
    expect(ofServer1()).toEqual(['reported - > Online', `certificate - > ${one}`, 'reported Online > Evacuated'])
    await first.changes.stop()

    // After a restart, only what is different now is a change.
    const second = await begin(store)
    second.report('Evacuated')
    second.present(certificates[0])
    await second.clock.pass(0)
    expect(ofServer1()).toHaveLength(3)
    second.report('Online')
    second.present(certificates[1])
    await second.clock.pass(0)
    expect(ofServer1().slice(3)).toEqual(['reported Evacuated > Online', `certificate ${one} > ${two}`])
  })

  test('is that it left, but not that it only has another name', async () => {
    const { store, kept } = memoryStore()
    const { board, clock } = await begin(store)
    board.observe('server1', good)
    board.rename('server1', 'server7')
    board.retain(['server7'])
    await clock.pass(0)
    expect(kept.map(({ member, change }) => `${member} ${short(change)}`)).toEqual([
      'server1 - > healthy -: -',
      'server7 - > healthy -: -',
      'server2 left',
    ])
  })

  test('is read before it was written, and written when the disk can take it', async () => {
    const { store, kept, disk } = memoryStore()
    disk.full = true
    const { board, changes, clock, report } = await begin(store)
    board.observe('server1', good)
    report('Online')
    await clock.pass(1_000)
    expect(kept).toEqual([])
    expect((await changes.read('server1', 0)).changes.map(short)).toEqual(['- > healthy -: -'])
    disk.full = false
    await clock.pass(10_000)
    expect(kept.filter(({ member }) => member === 'server1').map(({ change }) => short(change))).toEqual([
      '- > healthy -: -',
      'reported - > Online',
    ])
  })
})

describe('the changes in the database', () => {
  const change = (at: number, after = 'Online'): MemberChange => ({
    kind: 'reported',
    at: new Date(at).toISOString(),
    before: null,
    after,
  })

  test('are read newest first from a time on, and the same one is kept once', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteMemberChangeStore(database)
    const rows = [1, 2, 3].map((n) => ({ member: 'server1', number: n, change: change(n * 1_000, `s${n}`) }))
    await store.write('prod', rows)
    await store.write('prod', [...rows, { member: 'server2', number: 4, change: change(9_000) }])
    await store.write('other', [{ member: 'server1', number: 5, change: change(9_000) }])
    const read = await store.read('prod', 'server1', 2_000)
    expect(read.changes.map(short)).toEqual(['reported - > s3', 'reported - > s2'])
    expect([read.oldestAt, read.kept]).toEqual([1_000, 3])
    expect(read.standingBefore).toBeNull()
    const stuck = { standing: 'ejected', symptom: 'stuck' } as const
    const ejected: MemberChange = { ...change(500), kind: 'standing', before: null, after: stuck, reason: null }
    await store.write('prod', [{ member: 'server1', number: 6, change: ejected }])
    expect((await store.read('prod', 'server1', 2_000)).standingBefore).toEqual(ejected)
    expect((await store.latest('prod')).map((each) => `${each.member} ${short(each.change)}`)).toEqual([
      'server1 reported - > s3',
      'server1 - > ejected stuck: -',
      'server2 reported - > Online',
    ])
    await database.close()
  })

  test('go when they are old, and the oldest of one that changes without end before that', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteMemberChangeStore(database)
    const rows = Array.from({ length: 30 }, (_, n) => ({
      member: 'server1',
      number: n,
      change: change(1_000 + (n >> 1)),
    }))
    await store.write('prod', rows)
    await store.write('prod', [{ member: 'server2', number: 99, change: change(10) }])
    await store.prune('prod', 1_001, ['server1'], 5)
    expect((await store.read('prod', 'server1', 0)).kept).toBe(5)
    expect((await store.read('prod', 'server2', 0)).kept).toBe(0)
    await store.prune('prod', 0, ['server1'], 5)
    expect((await store.read('prod', 'server1', 0)).kept).toBe(5)
    await database.close()
  })
})
