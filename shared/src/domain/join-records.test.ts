import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../api/audit.ts'
import { joinRecords, wayInWords } from './join-records.ts'

const start = Date.UTC(2026, 0, 1)
const client = 'a'.repeat(64)

let seq = 0

function record(afterMs: number, said: Partial<AuditRecord>): AuditRecord {
  seq += 1
  return {
    v: 1,
    chain: 'c',
    seq,
    ts: new Date(start + afterMs).toISOString(),
    phase: 'event',
    source: 'incus',
    action: '',
    cluster: 'prod-eu',
    actor: null,
    src: { ip: null, via: null },
    req: null,
    object: null,
    up: null,
    decision: { allow: true, rule: '' },
    out: null,
    prev: '',
    hash: '',
    ...said,
  }
}

const jo = {
  iss: 'https://idp',
  sub: 'jo',
  name: 'Jo',
  roles: ['admin' as const],
  session: 's',
  authTime: null,
  amr: [],
  protocol: null,
}

function who(name: string, protocol: string): AuditRecord['actor'] {
  return { ...jo, iss: null, sub: null, name, roles: [], session: null, protocol }
}

function req(id: string, method = '', path = ''): AuditRecord['req'] {
  return { id, method, route: '', path, query: [], project: null, placement: null, body: null, changed: [], count: 1 }
}

function out(said: Partial<NonNullable<AuditRecord['out']>>): AuditRecord['out'] {
  return { status: null, op: null, opStatus: null, bytes: null, ms: null, code: null, ...said }
}

function up(via: string): AuditRecord['up'] {
  return { via, mode: null, attempts: 1, hedged: false, incusUser: null }
}

function stamped(member: string, afterMs: number): string {
  return `${member}@${new Date(start + afterMs).toISOString().replace('Z', '123456Z')}`
}

/** What a member's log says of a change. */
function line(afterMs: number, method: string, path: string, said: Partial<AuditRecord> = {}): AuditRecord {
  return record(afterMs + 60, {
    action: 'request.change',
    req: req(stamped('server1', afterMs), method, path),
    up: up('server1'),
    actor: who(client, 'tls'),
    src: { ip: '10.0.0.7', via: null },
    ...said,
  })
}

function event(afterMs: number, action: string, path: string, said: Partial<AuditRecord> = {}): AuditRecord {
  return record(afterMs + 60, {
    action,
    object: path.split('/').at(-1) ?? null,
    req: req(stamped('server1', afterMs), '', path),
    up: up('server1'),
    actor: who(client, 'tls'),
    src: { ip: '10.0.0.7', via: null },
    ...said,
  })
}

const memberPath = '/1.0/cluster/members/server3'
const through = { decision: { allow: true, rule: 'through this console' } }

function evacuation(id: string, at: number, object = 'server3'): AuditRecord[] {
  const said = { source: 'console' as const, action: 'member.evacuate', object, actor: jo, req: req(id, 'POST') }
  return [
    record(at, { ...said, phase: 'intent' }),
    record(at + 100, { ...said, phase: 'outcome', out: out({ status: 202, op: `op-${id}` }) }),
    record(at + 4_000, { ...said, phase: 'outcome', req: req(id), out: out({ op: `op-${id}`, opStatus: 'success' }) }),
  ]
}

function told(records: readonly AuditRecord[]): string[] {
  return joinRecords(records).map(
    ({ head, parts, way }) =>
      `${head.actor?.name.slice(0, 4) ?? '?'} ${head.action} ${head.object ?? '?'} ${wayInWords(way)}: ${parts.map(({ action, phase }) => `${action} ${phase}`).join(', ')}`,
  )
}

describe('what the history has of one deed', () => {
  test('an evacuation through the console, its request, its event and the end of its work are one story', () => {
    const records = [
      ...evacuation('r1', 0),
      line(50, 'POST', `${memberPath}/state`, { object: 'server3', ...through }),
      event(3_900, 'cluster-member-evacuated', memberPath),
    ]
    const expected = [
      'Jo member.evacuate server3 through this console: member.evacuate intent, request.change event, member.evacuate outcome, cluster-member-evacuated event, member.evacuate outcome',
    ]
    expect(told(records)).toEqual(expected)
    expect(told(records.toReversed())).toEqual(expected)
  })

  test('two evacuations at once stay two stories', () => {
    const records = [
      ...evacuation('r1', 0),
      ...evacuation('r2', 10, 'server2'),
      event(3_800, 'cluster-member-evacuated', '/1.0/cluster/members/server2'),
      event(3_900, 'cluster-member-evacuated', memberPath),
    ]
    expect(joinRecords(records).map(({ parts }) => parts.length)).toEqual([4, 4])
  })

  test('what was done at the unix socket of a server at the same time is another story', () => {
    const records = [
      ...evacuation('r1', 0),
      event(2_000, 'cluster-member-evacuated', memberPath, {
        actor: who('root', 'unix'),
        src: { ip: null, via: null },
      }),
    ]
    expect(joinRecords(records)).toHaveLength(2)
    expect(told(records)).toContain(
      'root cluster-member-evacuated server3 at the unix socket of server1: cluster-member-evacuated event',
    )
  })

  test('an event long after is another story', () => {
    const records = [...evacuation('r1', 0), event(35_000, 'cluster-member-evacuated', memberPath)]
    expect(joinRecords(records)).toHaveLength(2)
  })

  test.each([
    ['POST', '/1.0/profiles', 'profile-created', '/1.0/profiles/p2'],
    ['PUT', '/1.0/instances/c1/state', 'instance-started', '/1.0/instances/c1'],
    ['DELETE', '/1.0/profiles/p2', 'profile-deleted', '/1.0/profiles/p2'],
  ])(
    'a request of a command line, %s %s, and its event %s are one story, told by the event',
    (method, path, action, told1) => {
      const records = [line(0, method, path), event(400, action, told1)]
      expect(told(records)).toEqual([
        `aaaa ${action} ${told1.split('/').at(-1)} with a client certificate from 10.0.0.7, at server1: request.change event, ${action} event`,
      ])
    },
  )

  test('an event that names nobody has its person from the request', () => {
    const nameless = { actor: null, src: { ip: null, via: null } }
    const records = [
      line(0, 'PATCH', '/1.0/instances/c1'),
      event(200, 'instance-updated', '/1.0/instances/c1', nameless),
    ]
    expect(told(records)).toEqual([
      'aaaa instance-updated c1 with a client certificate from 10.0.0.7, at server1: request.change event, instance-updated event',
    ])
  })

  test('two people who change the same thing have a story each', () => {
    const sam = { actor: who('sam@example.net', 'oidc'), src: { ip: '10.0.0.8', via: null } }
    const records = [
      line(0, 'PUT', '/1.0/profiles/p2'),
      line(10, 'PUT', '/1.0/profiles/p2', sam),
      event(100, 'profile-updated', '/1.0/profiles/p2', sam),
      event(110, 'profile-updated', '/1.0/profiles/p2'),
    ]
    expect(told(records).map((story) => story.split(':')[0])).toEqual([
      'aaaa profile-updated p2 with a client certificate from 10.0.0.7, at server1',
      'sam@ profile-updated p2 signed in to Incus itself from 10.0.0.8, at server1',
    ])
  })

  test('what every member tells once is one story', () => {
    const path = '/1.0/cluster/certificate'
    const records = ['server1', 'server2', 'server3'].map((member, at) =>
      event(at * 20, 'cluster-certificate-updated', path, {
        up: up(member),
        actor: at === 1 ? who('root', 'unix') : null,
      }),
    )
    expect(told(records)).toEqual([
      'root cluster-certificate-updated certificate at the unix socket of server2: cluster-certificate-updated event, cluster-certificate-updated event, cluster-certificate-updated event',
    ])
  })

  test('what Incus does by itself says so', () => {
    const itself = { actor: null, src: { ip: null, via: null } }
    expect(told([event(0, 'image-refreshed', '/1.0/images/abc', itself)])).toEqual([
      '? image-refreshed abc by Incus itself: image-refreshed event',
    ])
  })

  test('a gap belongs to nothing', () => {
    const during = { from: new Date(start).toISOString(), to: new Date(start + 1_000).toISOString() }
    const records = [...evacuation('r1', 0), record(1_000, { action: 'requests.gap', object: 'server3', during })]
    expect(joinRecords(records)).toHaveLength(2)
  })

  test('a deed is unconfirmed when it was flagged, until its event is there after all', () => {
    const flag = record(34_000, {
      source: 'console',
      phase: 'outcome',
      action: 'member.evacuate',
      object: 'server3',
      req: req('r1'),
      out: out({ code: 'unconfirmed' }),
    })
    expect(joinRecords([...evacuation('r1', 0), flag])).toMatchObject([{ unconfirmed: true, parts: { length: 4 } }])
    const late = event(36_000, 'cluster-member-evacuated', memberPath)
    expect(joinRecords([...evacuation('r1', 0), flag, late])).toMatchObject([{ unconfirmed: false }])
  })

  test('every record is in exactly one story', () => {
    const records = [
      ...evacuation('r1', 0),
      line(50, 'POST', `${memberPath}/state`, { object: 'server3', ...through }),
      line(60, 'PUT', '/1.0/profiles/p2'),
      event(70, 'profile-updated', '/1.0/profiles/p2'),
      event(3_900, 'cluster-member-evacuated', memberPath),
      record(10, { action: 'chain.begin', source: 'console', phase: 'genesis', cluster: null }),
    ]
    const places = joinRecords(records).flatMap(({ parts }) => parts.map((part) => part.seq))
    expect(places.toSorted((a, b) => a - b)).toEqual(records.map((part) => part.seq).toSorted((a, b) => a - b))
  })
})
