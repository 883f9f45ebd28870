import { describe, expect, test } from 'vitest'
import { AuditRecord } from '../api/audit.ts'
import { historyFacts, historyResult } from './history-facts.ts'

const actor = {
  iss: 'https://idp',
  sub: '1',
  name: 'Jo',
  roles: ['admin'] as const,
  session: null,
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

describe('how it went', () => {
  test.each([
    ['a good answer', {}, 'ok'],
    ['not allowed', { decision: { allow: false, rule: 'default-deny' } }, 'refused'],
    ['Incus did not allow it', { out: { ...out, status: 403 } }, 'refused'],
    ['nobody signed in', { out: { ...out, status: 401 } }, 'refused'],
    ['an error', { out: { ...out, status: 503, code: 'member_unavailable' } }, 'failed'],
    ['an operation that failed', { out: { ...out, op: 'x', opStatus: 'failure' } }, 'failed'],
    ['an operation that was cancelled', { out: { ...out, op: 'x', opStatus: 'cancelled' } }, 'failed'],
    ['an operation that runs', { out: { ...out, status: 202, op: 'x' } }, 'begun'],
    ['an operation that ended well', { out: { ...out, op: 'x', opStatus: 'success' } }, 'ok'],
    ['an answer that was lost', { out: { ...out, status: 504, code: 'outcome_unknown' } }, 'unknown'],
    ['an intent', { phase: 'intent', out: null }, 'begun'],
    ['an event', { phase: 'event', out: null }, 'ok'],
  ] as const)('%s', (_, said, result) => {
    expect(historyResult(record(said))).toBe(result)
  })
})

describe('what a record says', () => {
  test('has a word for each field, and none for what it does not say', () => {
    const up = { via: 'server2', mode: 'bearer', attempts: 1, hedged: false, incusUser: null }
    expect(historyFacts(record({ up }))).toEqual({
      who: 'Jo',
      what: 'member.evacuate',
      to: 'server1',
      on: 'server2',
      from: '192.0.2.1',
      result: 'ok',
      cluster: 'prod-eu',
      source: 'console',
      view: ['admin'],
    })
  })

  const incus = { source: 'incus', phase: 'event', out: null }
  const by = (protocol: string) => ({ ...actor, roles: [], protocol })
  test.each([
    ['an administrator acts', {}, ['admin']],
    ['an administrator is about to act: its outcome follows', { phase: 'intent', out: null }, []],
    ['an administrator looks', { action: 'certificate.read' }, []],
    ['a viewer acts', { actor: { ...actor, roles: ['viewer'] } }, []],
    ['a trust entry was made', { ...incus, action: 'certificate-created', actor: by('tls') }, ['trust', 'outside']],
    ['a cluster certificate was replaced', { ...incus, action: 'cluster-certificate-updated', actor: null }, ['trust']],
    ['a pin was followed', { action: 'trust.followed', actor: null }, ['trust']],
    ['a terminal was opened', { ...incus, action: 'instance-exec', actor: by('unix') }, ['terminals', 'outside']],
    [
      'a stranger was turned away',
      { ...incus, action: 'request.refused', actor: null, decision: { allow: false, rule: 'refused' } },
      ['outside'],
    ],
    [
      'Incus took a request of this console',
      { ...incus, action: 'request.change', actor: by('tls'), decision: { allow: true, rule: 'through this console' } },
      [],
    ],
    ['a member speaks for another', { ...incus, action: 'instance-started', actor: by('cluster') }, []],
  ] as const)('%s: %j is in %j', (_, said, views) => {
    expect(historyFacts(record(said)).view).toEqual(views)
  })
})
