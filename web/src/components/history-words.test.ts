import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { expect, test } from 'vitest'
import { historyLines } from './history-words.ts'

function record(change: Partial<AuditRecord> = {}, id: string | null = 'r-1'): AuditRecord {
  return {
    v: 1,
    chain: 'c',
    seq: 1,
    ts: '2026-11-22T06:12:00.000Z',
    phase: 'outcome',
    source: 'console',
    action: 'member.evacuate',
    cluster: 'prod-eu',
    actor: {
      iss: null,
      sub: null,
      name: 'mika@example.net',
      roles: ['admin'],
      session: null,
      authTime: null,
      amr: [],
      protocol: null,
    },
    src: { ip: null, via: null },
    req:
      id === null
        ? null
        : {
            id,
            method: 'POST',
            route: '',
            path: '',
            query: [],
            project: null,
            placement: null,
            body: null,
            changed: [],
            count: 1,
          },
    object: 'server3',
    up: { via: 'server1', mode: 'bearer', attempts: 1, hedged: false, incusUser: null },
    decision: { allow: true, rule: 'admin' },
    out: { status: 202, op: null, opStatus: null, bytes: null, ms: null, code: null },
    prev: '',
    hash: '',
    ...change,
  }
}
const said = (...records: AuditRecord[]) =>
  historyLines(records).map(({ who, by, outcome, deed, object, via }) =>
    [who, by && `(${by})`, outcome, deed, object, via && `via ${via}`].filter(Boolean).join(' '),
  )

test('an outcome stands for its intent; an intent alone is in progress', () => {
  expect(said(record({ seq: 2 }), record({ phase: 'intent', out: null }))).toEqual([
    'mika@example.net evacuated server3 via server1',
  ])
  expect(said(record({ phase: 'intent', out: null }))).toEqual([
    'mika@example.net in progress: evacuated server3 via server1',
  ])
})

test('work that was begun is in progress until it has ended', () => {
  const begun = record({ seq: 2, out: { ...record().out!, op: '/1.0/operations/1' } })
  expect(said(begun)).toEqual(['mika@example.net in progress: evacuated server3 via server1'])
  const ended = record({ seq: 3, out: { ...record().out!, status: null, op: '1', opStatus: 'success' } })
  expect(said(ended, begun)).toEqual(['mika@example.net evacuated server3 via server1'])
})

test('what was found out of a lost answer is told of the person who asked', () => {
  const lost = record({ seq: 2, out: { ...record().out!, status: 504, code: 'outcome_unknown' } })
  const found = (opStatus: string) => record({ seq: 3, actor: null, out: { ...record().out!, status: null, opStatus } })
  expect(said(found('not-applied'), lost)).toEqual(['mika@example.net not done: evacuated server3 via server1'])
  expect(said(found('confirmed'), lost)).toEqual(['mika@example.net evacuated server3 via server1'])
})

test('the same done to many objects in a row is one line', () => {
  const moved = (seq: number, object: string) =>
    record({ seq, object, up: null, source: 'incus', phase: 'event', action: 'instance-migrated' }, null)
  expect(said(moved(3, 'c3'), moved(2, 'c2'), moved(1, 'c1'))).toEqual([
    'mika@example.net (incus) instance migrated c3 and 2 more',
  ])
})

test.each<[Partial<AuditRecord>, string]>([
  [{ decision: { allow: false, rule: 'viewer' } }, 'mika@example.net denied: evacuated server3 via server1'],
  [{ out: { ...record().out!, status: 500 } }, 'mika@example.net failed: evacuated server3 via server1'],
  [{ out: { ...record().out!, opStatus: 'failure' } }, 'mika@example.net failed: evacuated server3 via server1'],
  [
    { out: { ...record().out!, status: 504, code: 'outcome_unknown' } },
    'mika@example.net outcome unknown: evacuated server3 via server1',
  ],
  [{ action: 'session.sign-in', object: null, up: null }, 'mika@example.net signed in'],
  [
    {
      source: 'incus',
      phase: 'event',
      action: 'cluster-member-restored',
      actor: { ...record().actor!, name: 'root', protocol: 'unix' },
    },
    'root (unix) restored server3 via server1',
  ],
  [
    { action: 'instance-log-deleted', actor: null, source: 'incus' },
    'Incus (incus) instance log deleted server3 via server1',
  ],
  [{ action: 'member.list', actor: null }, 'somebody not signed in listed the servers server3 via server1'],
  [
    { action: 'trust.followed', actor: null, req: null, up: null, object: 'ab12' },
    'Malleus followed the cluster to a new certificate ab12',
  ],
  [
    {
      source: 'incus',
      up: null,
      action: 'instance-started',
      actor: { ...record().actor!, name: 'a'.repeat(64), protocol: 'tls' },
    },
    'aaaaaaaaaaaa (tls) instance started server3',
  ],
  [
    {
      source: 'incus',
      action: 'request.refused',
      actor: null,
      decision: { allow: false, rule: 'refused' },
      object: null,
    },
    'a stranger (incus) denied: a request via server1',
  ],
  [
    {
      source: 'incus',
      action: 'requests.gap',
      actor: null,
      req: null,
      out: null,
      phase: 'event',
      during: { from: '2026-11-22T06:11:00.000Z', to: '2026-11-22T06:12:00.000Z' },
    },
    'Malleus did not hear server3',
  ],
])('%j', (change, line) => expect(said(record(change))).toEqual([line]))

test('the chain’s own beginning and end are not things people did', () => {
  expect(said(record({ phase: 'genesis' }, null), record({ phase: 'close' }, null))).toEqual([])
})

test.each<[string, Partial<AuditRecord>, number]>([
  ['told by Incus too is one line', {}, 1],
  ['and done again later by somebody else is two', { ts: '2026-11-22T06:13:00.000Z' }, 2],
  ['and to another server is two', { object: 'server4' }, 2],
  [
    'and by root on a server a moment later is two',
    { actor: { ...record().actor!, name: 'root', protocol: 'unix' } },
    2,
  ],
])('what was done through this console %s', (_, change, lines) => {
  const echo = { ...record({}, null), seq: 2, source: 'incus' as const, action: 'cluster-member-evacuated', ...change }
  expect(said(record(), echo)).toHaveLength(lines)
})

test('a request that a server logged is told where nothing else tells of it', () => {
  const out = null
  const actor = { ...record().actor!, name: 'root', protocol: 'unix' }
  const req = { ...record().req!, id: 'server1@2026-11-22T06:12:00.1Z', method: 'PUT', path: '/1.0/profiles/p2' }
  const common = { source: 'incus' as const, actor, out, phase: 'event' as const, object: 'p2' }
  const asked = record({ ...common, seq: 2, action: 'request.change', req })
  const updated = record({
    ...common,
    seq: 3,
    action: 'profile-updated',
    req: { ...req, id: 'server1@2026-11-22T06:12:00.2Z' },
  })
  expect(said(asked)).toEqual(['root (unix) asked PUT /1.0/profiles/p2 p2 via server1'])
  expect(said(updated, asked)).toEqual(['root (unix) profile updated p2 via server1'])
})
