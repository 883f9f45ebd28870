import { AuditRecord } from '@malleus/shared/api/audit.ts'
import { describe, expect, test } from 'vitest'
import { historyRows } from './history-rows.ts'
import { cameBy, doing, sentenceOf, whoDid } from './history-sentence.ts'

const actor = {
  iss: 'i',
  sub: '1',
  name: 'Jo',
  roles: ['admin'] as const,
  session: 's',
  authTime: null,
  amr: [],
  protocol: null,
}
const out = { status: 200, op: null, opStatus: null, bytes: null, ms: 1, code: null }

function record(said: object = {}): AuditRecord {
  return AuditRecord.parse({
    v: 1,
    chain: 'c',
    seq: 1,
    ts: '2026-01-01T00:00:00.000Z',
    phase: 'outcome',
    source: 'console',
    action: 'member.evacuate',
    cluster: 'prod-eu',
    actor,
    src: { ip: '192.0.2.1', via: null },
    req: null,
    object: 'server1',
    up: null,
    decision: { allow: true, rule: 'role:admin' },
    out,
    prev: '',
    hash: '',
    ...said,
  })
}

describe('a sentence', () => {
  const refused = { decision: { allow: false, rule: 'default-deny' } }
  const incus = { source: 'incus', phase: 'event', out: null }
  const request = {
    id: 'r',
    method: 'GET',
    route: '',
    path: '/1.0/instances',
    query: [],
    project: null,
    placement: null,
    body: null,
    changed: [],
    count: 1,
  }
  test.each([
    [{}, 'Jo evacuated server1'],
    [refused, 'Jo was refused evacuating server1'],
    [{ out: { ...out, status: 503 } }, 'Jo failed at evacuating server1'],
    [{ out: { ...out, status: 202, op: 'o' } }, 'Jo began evacuating server1'],
    [{ phase: 'intent', out: null }, 'Jo began evacuating server1'],
    [{ out: { ...out, opStatus: 'unknown' } }, 'Jo tried, with unknown outcome, evacuating server1'],
    [{ action: 'session.sign-in', object: null }, 'Jo signed in'],
    [
      { action: 'session.sign-in', object: null, actor: null, ...refused },
      'Somebody not signed in was refused signing in',
    ],
    [{ action: 'audit.read', object: null }, 'Jo read the access history'],
    [{ ...incus, action: 'instance-deleted', object: 'db-01' }, 'Jo deleted instance db-01'],
    [{ ...incus, action: 'instance-snapshot-created', object: 'daily' }, 'Jo created instance snapshot daily'],
    [{ ...incus, action: 'instance-exec', object: 'db-01' }, 'Jo opened a terminal in db-01'],
    [{ ...incus, action: 'request.read', object: null, req: request }, 'Jo asked GET /1.0/instances'],
    [
      { ...incus, action: 'request.refused', object: null, actor: null, req: request, ...refused },
      'A stranger was refused asking GET /1.0/instances',
    ],
    [
      { ...incus, action: 'cluster-member-evacuated', actor: { ...actor, name: 'ab'.repeat(32) } },
      'abababababab evacuated server1',
    ],
    [
      {
        ...incus,
        action: 'events.gap',
        object: null,
        actor: null,
        during: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:41.000Z' },
        decision: { allow: true, rule: 'the console was restarted' },
      },
      'Incus was not listened to for 41 s: the console was restarted',
    ],
    [{ action: 'chain.begin', actor: null, object: null }, 'Malleus began to record'],
  ])('%j is %s', (said, sentence) => {
    const told = record(said)
    expect([whoDid(told), sentenceOf(told), told.object].filter(Boolean).join(' ')).toBe(sentence)
  })

  test.each([
    ['listed the clusters', 'listing the clusters'],
    ['cancelled the operation', 'cancelling the operation'],
    ['looked at the certificates', 'looking at the certificates'],
    ['copied', 'copying'],
    ['withdrew a token', 'withdrawing a token'],
  ])('what was “%s” is tried by “%s”', (deed, trying) => {
    expect(doing(deed)).toBe(trying)
  })

  test.each([
    [{}, 'console'],
    [{ actor: null }, null],
    [{ source: 'incus', actor: { ...actor, protocol: 'unix' } }, 'unix'],
    [{ source: 'incus', actor: null }, null],
  ])('%j came by %s', (said, by) => {
    expect(cameBy(record(said))).toBe(by)
  })
})

describe('rows', () => {
  const req = (id: string) => ({
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
  })
  const at = (second: number) => ({ ts: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z` })
  const records = [
    record({
      seq: 6,
      ...at(6),
      actor: null,
      object: null,
      req: req('late'),
      out: { ...out, op: 'o', opStatus: 'success' },
    }),
    record({
      seq: 5,
      ...at(5),
      source: 'incus',
      action: 'cluster-member-evacuated',
      phase: 'event',
      out: null,
      req: req('e'),
    }),
    record({ seq: 4, ...at(4), action: 'session.sign-in', req: req('b'), object: null }),
    record({ seq: 3, ...at(3), req: req('a'), out: { ...out, status: 202, op: 'o' } }),
    record({ seq: 2, ...at(2), phase: 'intent', out: null, req: req('a') }),
  ]

  test('are one for each deed, told by the last that is known of it and by who began it', () => {
    const rows = historyRows(records, 'newest')
    expect(rows.map(({ place, result, places }) => [place, result, places.length])).toEqual([
      ['c:6', 'ok', 4],
      ['c:4', 'ok', 1],
    ])
    expect([rows[0]?.record.actor?.name, rows[0]?.record.object]).toEqual(['Jo', 'server1'])
  })

  test('from the oldest on are the same ones, the other way round', () => {
    const places = historyRows(records.toReversed(), 'oldest').map(({ place }) => place)
    expect(places).toEqual(['c:4', 'c:6'])
  })
})
