import type { Health } from '@malleus/shared/api/health.ts'
import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, test } from 'vitest'
import { applyLiveEvent, type CacheChange, type Known, type MemberList } from './apply-live-event.ts'
import type { OperationList } from './operations.ts'

const at = '2026-11-22T06:12:00.000Z'
const later = '2026-11-22T06:12:05.000Z'
const missing = { value: null, freshness: { kind: 'unavailable', reason: 'x' } } as const
const healthy: Health = { standing: 'healthy', symptom: null, since: at, answerMs: 4, answeredAt: at, failure: null }

const member = (name: string): Member => ({
  name,
  address: 'a:8443',
  notContacted: null,
  reported: missing,
  health: healthy,
  presented: null,
  load: missing,
  memory: missing,
  instances: missing,
})
const operation = (change: Partial<Operation> = {}): Operation => ({
  id: 'o1',
  description: 'Evacuating cluster member',
  status: 'running',
  looking: false,
  found: null,
  location: 'server1',
  project: null,
  createdAt: at,
  updatedAt: at,
  heardAt: at,
  endedAt: null,
  progress: null,
  percent: null,
  error: null,
  mayCancel: false,
  resources: [],
  startedBy: null,
  ...change,
})

const members: MemberList = {
  members: [member('server1'), member('server2')],
  groups: [],
  modes: { evacuate: [''], restore: [''] },
}
const operations: OperationList = { operations: [operation()], freshness: { kind: 'fresh', asOf: at }, members: [] }
const known: Known = {
  members: (cluster) => (cluster === 'prod' ? members : undefined),
  operations: (cluster) => (cluster === 'prod' ? operations : undefined),
}
const nothing: Known = { members: () => undefined, operations: () => undefined }

const readAgain = (changes: readonly CacheChange[]) =>
  changes.flatMap((change) => (change.kind === 'read-again' ? [change.key.join('/')] : []))
const membersIn = (changes: readonly CacheChange[]) =>
  changes.flatMap((change) => (change.kind === 'members' ? change.members.members : []))
const operationsIn = (changes: readonly CacheChange[]) =>
  changes.flatMap((change) => (change.kind === 'operations' ? change.operations.operations : []))

describe('what is read again', () => {
  test.each<[LiveEvent, string[]]>([
    [{ kind: 'heartbeat', at }, []],
    [{ kind: 'goaway', withinMs: 2000 }, []],
    [{ kind: 'session-ended', reason: 'x' }, []],
    [{ kind: 'resync', reason: 'new' }, ['']],
    [{ kind: 'events-missed', cluster: 'prod', from: at, to: later, reason: 'x' }, ['cluster/prod']],
    [{ kind: 'members-changed', cluster: 'prod' }, ['cluster/prod/members', 'cluster/prod/member', 'clusters']],
    [{ kind: 'cluster-changed', cluster: 'prod' }, ['clusters', 'cluster/prod']],
    [
      { kind: 'certificate-changed', cluster: 'prod' },
      ['cluster/prod/certificate', 'cluster/prod/members', 'clusters', 'alerts'],
    ],
    [{ kind: 'instances-changed', cluster: 'prod' }, ['cluster/prod/instances']],
    [{ kind: 'events-heard', cluster: 'prod' }, ['cluster/prod/events']],
    [{ kind: 'incident-changed', cluster: 'prod', incident: 'i' }, ['cluster/prod/incidents']],
    [{ kind: 'access-paths-changed', cluster: 'prod' }, ['cluster/prod/access-paths']],
    [{ kind: 'audit-appended', cluster: null, action: 'session.sign-in' }, ['audit']],
    [
      {
        kind: 'outcome-found',
        cluster: 'prod',
        requestId: 'r',
        action: 'member.evacuate',
        object: 'server1',
        outcome: 'confirmed',
      },
      ['cluster/prod', 'audit'],
    ],
    [
      {
        kind: 'resource-changed',
        cluster: 'prod',
        action: 'instance-started',
        source: '',
        project: null,
        location: null,
        at,
      },
      ['cluster/prod/members'],
    ],
    [
      {
        kind: 'resource-changed',
        cluster: 'prod',
        action: 'image-created',
        source: '',
        project: null,
        location: null,
        at,
      },
      [],
    ],
  ])('%j', (event, keys) => expect(readAgain(applyLiveEvent(event, known))).toEqual(keys))
})

describe('a change of health', () => {
  const stuck: Health = { ...healthy, standing: 'ejected', symptom: 'stuck', since: later }
  const event: LiveEvent = { kind: 'member-health-changed', cluster: 'prod', member: 'server2', health: stuck }

  test('is in the row at once, and the other rows keep their identity', () => {
    const [first, second] = membersIn(applyLiveEvent(event, known))
    expect(first).toBe(members.members[0])
    expect(second).toEqual({ ...members.members[1], health: stuck })
  })
  test('makes the clusters, the page of the server, the instances and the operations be read again', () => {
    expect(readAgain(applyLiveEvent(event, known))).toEqual([
      'clusters',
      'cluster/prod/member/server2',
      'cluster/prod/instances',
      'cluster/prod/operations',
    ])
  })
  test('puts nothing into a list that was never read', () => {
    expect(membersIn(applyLiveEvent(event, nothing))).toEqual([])
  })
})

test('answer times change only themselves, in the rows that were measured', () => {
  const event: LiveEvent = {
    kind: 'answers-measured',
    cluster: 'prod',
    at: later,
    members: { server1: { answerMs: 9, answeredAt: later }, gone: { answerMs: 1, answeredAt: later } },
  }
  const [first, second] = membersIn(applyLiveEvent(event, known))
  expect(first?.health).toEqual({ ...healthy, answerMs: 9, answeredAt: later })
  expect(second).toBe(members.members[1])
})

describe('a change of an operation', () => {
  const changed = (next: Operation, before = known) =>
    applyLiveEvent({ kind: 'operation-changed', cluster: 'prod', operation: next }, before)

  test('replaces what was known of it', () => {
    const next = operation({ heardAt: later, percent: 40 })
    expect(operationsIn(changed(next))).toEqual([next])
    expect(readAgain(changed(next))).toEqual(['cluster/prod/operation/o1'])
  })
  test('that is older than what is known is not believed', () => {
    const older = operation({ heardAt: '2026-11-22T06:11:00.000Z', percent: 10 })
    expect(operationsIn(changed(older))).toEqual(operations.operations)
  })
  test('adds one that began elsewhere, newest first', () => {
    expect(operationsIn(changed(operation({ id: 'o2' }))).map(({ id }) => id)).toEqual(['o2', 'o1'])
  })
  test('that has ended makes the servers and what is kept be read again', () => {
    expect(readAgain(changed(operation({ status: 'success', heardAt: later })))).toEqual([
      'cluster/prod/operation/o1',
      'cluster/prod/members',
      'cluster/prod/kept-operations',
    ])
  })
  test('reads the list where there is none', () => {
    expect(readAgain(changed(operation(), nothing))).toEqual(['cluster/prod/operations', 'cluster/prod/operation/o1'])
  })
})
