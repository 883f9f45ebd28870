import type { Operation } from '@malleus/shared/api/operations.ts'
import { expect, test } from 'vitest'
import { expectedState } from './expected-state.ts'
import type { ExpectedState } from './expected-state.ts'

const c1 = { kind: 'instance', name: 'c1', project: 'default' } as const

test.each<[string, string[], ExpectedState | null]>([
  [
    'Evacuating cluster member',
    ['/1.0/cluster/members/server%203'],
    { kind: 'member', name: 'server 3', status: 'Evacuated' },
  ],
  ['Restoring cluster member', ['/1.0/cluster/members/server3'], { kind: 'member', name: 'server3', status: 'Online' }],
  ['Starting instance', ['/1.0/instances/c1'], { ...c1, state: 'Running' }],
  ['Stopping instance', ['/1.0/instances/c1?project=web'], { ...c1, project: 'web', state: 'Stopped' }],
  ['Creating instance', ['/1.0/instances/c1'], { ...c1, state: 'there' }],
  ['Deleting instance', ['/1.0/instances/c1'], { ...c1, state: 'gone' }],
  ['Restarting instance', ['/1.0/instances/c1'], null],
  ['Starting instance', ['/1.0/instances/c1', '/1.0/instances/c2'], null],
  ['Starting instance', [], null],
  ['Evacuating cluster member', [], null],
])('"%s" of %j leaves behind %j', (description, resources, expected) => {
  const operation: Operation = {
    id: 'op1',
    description,
    status: 'unknown',
    looking: true,
    found: null,
    location: 'server3',
    project: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    heardAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    progress: null,
    percent: null,
    error: null,
    mayCancel: false,
    resources,
    startedBy: null,
  }
  expect(expectedState(operation)).toEqual(expected)
})
