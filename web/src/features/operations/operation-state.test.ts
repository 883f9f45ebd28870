import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, test } from 'vitest'
import { consequence, whyNot } from './cancel-words.ts'
import { stateOf, tookMs } from './operation-state.ts'
import { objectsOf, resourceOf } from './resource-words.ts'

const at = '2026-11-22T06:00:00.000Z'
const running: Operation = {
  id: 'op1',
  description: 'Downloading image',
  status: 'running',
  looking: false,
  found: null,
  location: 'server3',
  project: 'default',
  createdAt: at,
  updatedAt: at,
  heardAt: at,
  endedAt: null,
  progress: null,
  percent: null,
  error: null,
  mayCancel: true,
  resources: [],
  startedBy: null,
}
const fresh = { kind: 'fresh', asOf: at } as const
const stuck = { kind: 'stale', asOf: '2026-11-22T05:59:49.000Z', reason: 'The server is stuck.' } as const

describe('how an operation is', () => {
  test.each<[Partial<Operation>, string, string]>([
    [{}, 'info', 'Running'],
    [{ status: 'pending' }, 'info', 'Waiting'],
    [{ status: 'success' }, 'good', 'Done'],
    [{ status: 'unknown', looking: true }, 'unknown', 'Looking'],
    [{ status: 'unknown' }, 'unknown', 'Unknown'],
  ])('%j', (change, tone, word) => {
    expect(stateOf({ ...running, ...change }, fresh)).toMatchObject({ tone, word, old: null })
  })

  test('on a server that does not answer is what was last known, and grey; what has ended stays as it was', () => {
    expect(stateOf(running, stuck)).toMatchObject({ tone: 'unknown', word: 'Running', old: { asOf: stuck.asOf } })
    expect(stateOf(running, { kind: 'unavailable', reason: 'x' })).toMatchObject({ tone: 'unknown', old: { asOf: at } })
    expect(stateOf({ ...running, status: 'success' }, stuck)).toMatchObject({ tone: 'good', old: null })
  })

  test('how long it took is known while it runs and when its end was seen', () => {
    const now = Date.parse(at) + 5_000
    expect(tookMs(running, now)).toBe(5_000)
    expect(tookMs({ ...running, status: 'success', endedAt: '2026-11-22T06:00:03.000Z' }, now)).toBe(3_000)
    // The clock of its server is ahead.
    expect(tookMs({ ...running, status: 'success', endedAt: '2026-11-22T05:00:00.000Z' }, now)).toBe(0)
    expect(tookMs({ ...running, status: 'unknown' }, now)).toBeNull()
  })
})

describe('what it works on', () => {
  test.each([
    ['/1.0/instances/c1', 'instance', 'c1', null],
    ['/1.0/instances/c1?project=web', 'instance', 'c1', 'web'],
    ['/1.0/instances/c1/snapshots/s1', 'snapshot', 'c1/s1', null],
    ['/1.0/cluster/members/server%203', 'server', 'server 3', null],
    ['/1.0/images/9f41c0ffee00112233', 'image', '9f41c0ffee00', null],
    ['/1.0/storage-pools/local/volumes/custom/v1', 'volume', 'local/custom/v1', null],
    ['/1.0/something-new/x', 'something-new', 'x', null],
    ['', '', '', null],
  ])('%s is the %s %s', (path, kind, name, project) => {
    expect(resourceOf(path)).toEqual({ path, kind, name, project })
  })

  test('is told once', () => {
    expect(objectsOf({ ...running, resources: ['/1.0/instances/c1', '/1.0/instances/c1', '/1.0/x/%'] })).toEqual([
      'c1',
      '%',
    ])
  })
})

describe('cancelling', () => {
  const healthy = { standing: 'healthy', symptom: null, since: at, answerMs: 1, answeredAt: at, failure: null } as const
  const may = { may: true, because: '' }
  test.each([
    [running, healthy, may, true, undefined, undefined],
    [
      { ...running, mayCancel: false },
      healthy,
      may,
      true,
      undefined,
      'Incus cannot cancel this kind of work once it runs.',
    ],
    [{ ...running, status: 'success' as const }, healthy, may, true, undefined, 'It has ended.'],
    [
      running,
      { ...healthy, standing: 'ejected' as const, symptom: 'stuck' as const },
      may,
      true,
      undefined,
      'server3 does not answer. Incus would pass the call on to it and wait; it can be cancelled when it answers again.',
    ],
    [running, healthy, { may: false, because: 'Your role is viewer.' }, true, undefined, 'Your role is viewer.'],
    [
      running,
      healthy,
      may,
      false,
      undefined,
      'The cluster database does not answer; nothing can be cancelled until it is back.',
    ],
    [running, healthy, may, true, 'server2 does not answer', 'server2 does not answer, and it is your target.'],
    [running, undefined, may, null, undefined, undefined],
  ])('is possible, or says why not', (operation, health, permission, database, enters, because) => {
    expect(whyNot(operation, health, permission, database, enters)).toBe(because)
  })

  test.each([
    ['Downloading image', 'What was fetched so far is thrown away.'],
    ['Backing up instance', 'What was written so far is thrown away.'],
    ['Migrating instance', 'What was copied so far may be left where it was going.'],
    ['Executing command', 'What it has done so far is not undone.'],
  ])('%s: %s', (description, words) => {
    expect(consequence({ ...running, description })).toBe(`Incus is asked to stop it on server3. ${words}`)
  })
})
