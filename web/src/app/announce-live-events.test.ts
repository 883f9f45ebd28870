import type { Health } from '@malleus/shared/api/health.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { expect, test } from 'vitest'
import type { LiveContext } from '../api/live.ts'
import { sayLiveEvent } from './announce-live-events.ts'

const at = '2026-11-22T06:12:00.000Z'
const missing = { value: null, freshness: { kind: 'unavailable', reason: 'x' } } as const
const healthy: Health = { standing: 'healthy', symptom: null, since: at, answerMs: 4, answeredAt: at, failure: null }
const stuck: Health = { ...healthy, standing: 'ejected', symptom: 'stuck' }

const member = (health: Health): Member => ({
  name: 'server3',
  address: 'a:8443',
  notContacted: null,
  reported: missing,
  health,
  presented: null,
  load: missing,
  memory: missing,
  instances: missing,
})
const operation = (status: Operation['status'], id = 'o'): Operation => ({
  id,
  description: 'Evacuating cluster member',
  status,
  looking: false,
  found: null,
  location: 'server3',
  project: null,
  createdAt: at,
  updatedAt: at,
  heardAt: at,
  endedAt: null,
  progress: null,
  percent: null,
  error: status === 'failure' ? 'no space' : null,
  mayCancel: false,
  resources: [],
  startedBy: null,
})
const knowing = (health: Health, ...operations: Operation[]): LiveContext => ({
  members: () => ({ members: [member(health)], groups: [], modes: { evacuate: [''], restore: [''] } }),
  operations: () => ({ operations, freshness: { kind: 'fresh', asOf: at }, members: [] }),
})

test.each<[string, Health, Health, string | undefined]>([
  ['falls silent', healthy, stuck, 'server3 is stuck.'],
  ['stays silent in another way', stuck, { ...stuck, symptom: 'unreachable' }, 'server3 is unreachable.'],
  ['comes back', stuck, { ...healthy, standing: 'probation' }, 'server3 answers again.'],
  ['has proven itself', { ...healthy, standing: 'probation' }, healthy, undefined],
  ['is as before', stuck, { ...stuck, since: '2026-11-22T06:13:00.000Z' }, undefined],
])('a server that %s', (_, before, health, sentence) => {
  const said = sayLiveEvent({ kind: 'member-health-changed', cluster: 'c', member: 'server3', health }, knowing(before))
  expect(said.sentence).toBe(sentence)
  expect(said.toast).toBeUndefined()
})

test('an operation is told once, when it ends', () => {
  const change = (after: Operation, ...before: Operation[]) =>
    sayLiveEvent({ kind: 'operation-changed', cluster: 'c', operation: after }, knowing(healthy, ...before)).toast
  expect(change(operation('running'), operation('pending'))).toBeUndefined()
  expect(change(operation('success'), operation('running'))).toEqual({ tone: 'good', title: 'Evacuated server3' })
  expect(change(operation('success'), operation('success'))).toBeUndefined()
  expect(change(operation('success'))).toBeUndefined()
  expect(change(operation('failure'), operation('running'))).toEqual({
    tone: 'bad',
    title: 'Evacuating server3 failed',
    text: 'no space',
  })
})

test.each([
  ['confirmed', 'good', 'Evacuating server3: It was done, although its answer was lost.'],
  ['not-applied', 'bad', 'Evacuating server3: It was not done. You can ask for it again.'],
  [
    'unknown',
    'info',
    'Evacuating server3: Nobody can tell whether it was done. Look at the server before you ask again.',
  ],
] as const)('a lost answer that turns out %s is told', (outcome, tone, sentence) => {
  const event = {
    kind: 'outcome-found',
    cluster: 'c',
    requestId: 'r',
    action: 'member.evacuate',
    object: 'server3',
    outcome,
  } as const
  const said = sayLiveEvent(event, knowing(healthy))
  expect(said.sentence).toBe(sentence)
  expect(said.toast?.tone).toBe(tone)
})
