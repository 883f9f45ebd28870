import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, test } from 'vitest'
import { memberOf, operationDetail, operationTitle, shownOperations, startedBy } from './operation-words.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')

function operation(change: Partial<Operation> = {}): Operation {
  return {
    id: 'a',
    description: 'Evacuating cluster member',
    status: 'running',
    looking: false,
    found: null,
    location: 'server3',
    project: null,
    createdAt: '2026-11-22T06:11:00.000Z',
    updatedAt: '2026-11-22T06:11:40.000Z',
    heardAt: '2026-11-22T06:11:40.000Z',
    endedAt: null,
    progress: null,
    percent: null,
    error: null,
    mayCancel: false,
    resources: ['/1.0/cluster/members/server3'],
    startedBy: null,
    ...change,
  }
}

test.each<[Partial<Operation>, string, string]>([
  [{}, 'Evacuating server3', 'Incus has not reported progress yet.'],
  [{ progress: 'Migrating "web-07" to "server2"' }, 'Evacuating server3', 'Migrating "web-07" to "server2"'],
  [{ status: 'success' }, 'Evacuated server3', ''],
  [{ status: 'failure', error: 'no space' }, 'Evacuating server3 failed', 'no space'],
  [{ status: 'failure' }, 'Evacuating server3 failed', 'Incus gave no reason.'],
  [{ status: 'cancelled' }, 'Evacuating server3 was cancelled', ''],
  [
    { status: 'unknown', looking: true },
    'Evacuating server3: outcome unknown, looking',
    'Incus no longer knows it. The console looks for what became of it.',
  ],
  [
    { status: 'unknown', found: 'done' },
    'Evacuating server3: nobody saw how it ended',
    'What it worked on is now as it was to become: it was done.',
  ],
  [
    { status: 'unknown', found: 'not-done', description: 'Starting instance' },
    'Starting instance: nobody saw how it ended',
    'What it worked on is not as it was to become: it was not done, or not to its end.',
  ],
  [
    { status: 'unknown', description: 'Migrating instance' },
    'Migrating instance: nobody saw how it ended',
    'Look at what it worked on: what that is like now is what became of it.',
  ],
  [
    { status: 'unknown', description: 'Restoring cluster member' },
    'Restoring server3: nobody saw how it ended',
    'Look at the server itself: what it says now is what became of it.',
  ],
  [
    { description: 'Creating instance', resources: ['/1.0/instances/x'] },
    'Creating instance',
    'Incus has not reported progress yet.',
  ],
])('%j', (change, title, detail) => {
  expect(operationTitle(operation(change))).toBe(title)
  expect(operationDetail(operation(change))).toBe(detail)
})

test('an operation is about the server in its resources, not the one it runs on', () => {
  expect(memberOf(operation({ location: 'server1', resources: ['/1.0/cluster/members/server%203?x=1'] }))).toBe(
    'server 3',
  )
  expect(memberOf(operation({ resources: [] }))).toBe('server3')
})

test('who started it is said as far as it is known', () => {
  expect(startedBy(operation())).toBe('started elsewhere')
  expect(startedBy(operation({ startedBy: { name: 'Mika', here: true } }))).toBe('started by Mika')
  expect(startedBy(operation({ startedBy: { name: 'root', here: false } }))).toBe(
    'started by root, not through this console',
  )
})

describe('the strip', () => {
  const ids = (rows: readonly Operation[]) => shownOperations(rows, now).map(({ id }) => id)
  test('shows what runs, however old, and what ended in the last half minute', () => {
    const old = operation({ id: 'old', updatedAt: '2026-11-22T03:00:00Z' })
    const ended = operation({ id: 'ended', status: 'success', heardAt: '2026-11-22T06:11:45Z' })
    const gone = operation({ id: 'gone', status: 'failure', heardAt: '2026-11-22T06:11:29Z' })
    expect(ids([gone, ended, old])).toEqual(['old', 'ended'])
  })
  test('has the newest first', () => {
    const first = operation({ id: 'first', createdAt: '2026-11-22T06:00:00Z' })
    const second = operation({ id: 'second', createdAt: '2026-11-22T06:10:00Z' })
    expect(ids([first, second])).toEqual(['second', 'first'])
  })
  test('has an evacuation before the instances that it moves', () => {
    const whole = operation({
      id: 'whole',
      description: 'Evacuating cluster member',
      createdAt: '2026-11-22T06:00:00Z',
    })
    const moved = operation({ id: 'moved', description: 'Migrating instance', createdAt: '2026-11-22T06:00:01Z' })
    expect(ids([whole, moved])).toEqual(['whole', 'moved'])
  })
})
