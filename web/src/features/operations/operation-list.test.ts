import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, it, test } from 'vitest'
import { mergeOperations } from '../../api/kept-operations.ts'
import {
  allColumns,
  choicesIn,
  describeList,
  filterOperations,
  formatSort,
  parseSort,
  shownColumns,
  sortOperations,
  type OperationFilter,
} from './operation-list.ts'

function operation(id: string, more: Partial<Operation> = {}): Operation {
  return {
    id,
    description: 'Creating instance',
    status: 'success',
    looking: false,
    found: null,
    location: 'server1',
    project: 'default',
    createdAt: '2026-11-22T06:00:00.000Z',
    updatedAt: '2026-11-22T06:00:00.000Z',
    heardAt: '2026-11-22T06:00:05.000Z',
    endedAt: '2026-11-22T06:00:05.000Z',
    progress: null,
    percent: null,
    error: null,
    mayCancel: false,
    resources: [`/1.0/instances/${id}`],
    startedBy: null,
    ...more,
  }
}

const minute = (at: number) => `2026-11-22T06:${String(at).padStart(2, '0')}:00.000Z`
const all = [
  operation('web-1', { createdAt: minute(1), endedAt: minute(9) }),
  operation('db-1', { createdAt: minute(5), status: 'running', endedAt: null, location: 'server3' }),
  operation('web-2', { createdAt: minute(7), status: 'failure', error: 'no space left', endedAt: minute(8) }),
  operation('shop-1', {
    createdAt: minute(3),
    status: 'unknown',
    endedAt: null,
    project: 'shop',
    location: 'server12',
  }),
  operation('evacuation', {
    description: 'Evacuating cluster member',
    createdAt: minute(2),
    status: 'cancelled',
    project: null,
    endedAt: minute(4),
    resources: ['/1.0/cluster/members/server2'],
    startedBy: { name: 'Mika', here: true },
  }),
]
const ids = (operations: readonly Operation[]) => operations.map(({ id }) => id)
const nothing: OperationFilter = { query: '', state: undefined, server: undefined, project: undefined, who: undefined }

describe('the filter', () => {
  test.each<[Partial<OperationFilter>, string[]]>([
    [{}, ['web-1', 'db-1', 'web-2', 'shop-1', 'evacuation']],
    [{ query: 'WEB' }, ['web-1', 'web-2']],
    [{ query: 'space creating' }, ['web-2']],
    [{ query: 'server2' }, ['evacuation']],
    [{ query: 'mika' }, ['evacuation']],
    [{ query: 'failed' }, ['web-2']],
    [{ state: 'running' }, ['db-1']],
    [{ state: 'unknown' }, ['shop-1']],
    [{ server: 'server12' }, ['shop-1']],
    [{ project: 'default', state: 'done' }, ['web-1']],
    [{ who: 'Mika' }, ['evacuation']],
    [{ who: 'elsewhere', query: 'web' }, ['web-1', 'web-2']],
    [{ who: 'nobody' }, []],
  ])('%j', (filter, expected) => expect(ids(filterOperations(all, { ...nothing, ...filter }))).toEqual(expected))
})

describe('the order', () => {
  test.each<[string | undefined, string[]]>([
    // What runs first, then what began last.
    [undefined, ['db-1', 'web-2', 'shop-1', 'evacuation', 'web-1']],
    ['nonsense', ['db-1', 'web-2', 'shop-1', 'evacuation', 'web-1']],
    ['began', ['web-1', 'evacuation', 'shop-1', 'db-1', 'web-2']],
    ['state', ['db-1', 'shop-1', 'web-2', 'evacuation', 'web-1']],
    ['-took', ['db-1', 'web-1', 'evacuation', 'web-2', 'shop-1']],
    ['who', ['evacuation', 'web-2', 'db-1', 'shop-1', 'web-1']],
    ['-ended', ['web-1', 'web-2', 'evacuation', 'db-1', 'shop-1']],
  ])('%s, with what is not known last', (text, expected) => {
    const sort = parseSort(text)
    expect(ids(sortOperations(all, sort))).toEqual(expected)
    expect(parseSort(formatSort(sort))).toEqual(sort)
  })

  it('is one of the link only where it is another than usual', () => {
    expect(formatSort(parseSort(undefined))).toBeUndefined()
    expect(formatSort(parseSort('-state'))).toBe('-state')
  })

  it('of ten thousand is there in the time of a few frames when one of them has changed, and the filter in one', () => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      operation(`web-${at}`, {
        createdAt: new Date(Date.UTC(2026, 10, 1) + ((at * 7919) % 10_000) * 60_000).toISOString(),
      }),
    )
    const sort = parseSort(undefined)
    const sorted = sortOperations(many, sort)
    filterOperations(sorted, { ...nothing, query: 'web' })
    const took = Array.from({ length: 5 }, (_, at) => {
      const changed = operation('web-1', { heardAt: minute(50 + at), status: 'running' })
      const begun = performance.now()
      const next = sortOperations(mergeOperations(sorted, [changed]), sort)
      const left = filterOperations(next, { ...nothing, query: 'web-99' })
      expect([next[0]?.id, left.length]).toEqual(['web-1', 1 + 10 + 100])
      return performance.now() - begun
    })
    // The best of them, and generous, for a machine may have other work.
    expect(Math.min(...took)).toBeLessThan(100)
  })
})

describe('columns', () => {
  it('are those that were chosen, in the usual order, and always what and how', () => {
    expect(shownColumns(['took', 'who', 'no such'])).toEqual(['what', 'state', 'who', 'took'])
    expect(shownColumns(null).length).toBeLessThan(allColumns.length)
  })
})

test('choices are what is in the rows, as people order names', () => {
  expect(choicesIn(all)).toEqual({
    servers: ['server1', 'server3', 'server12'].map((id) => ({ id, text: id })),
    projects: ['default', 'shop'].map((id) => ({ id, text: id })),
    people: [{ id: 'Mika', text: 'Mika' }],
  })
})

test('the sentence counts', () => {
  expect(describeList(all, 5)).toBe('5 operations of the last 30 days, 1 running.')
  expect(describeList(all, 2)).toBe('2 of 5 operations of the last 30 days, 1 running.')
  expect(describeList([operation('a')], 1)).toBe('1 operation of the last 30 days, none running.')
  expect(describeList([], 0)).toBe('No operations.')
})

describe('both lists as one', () => {
  const before = operation('web-1', { heardAt: minute(5), status: 'running' })
  test('have of each operation what was heard later', () => {
    const later = { ...before, heardAt: minute(6), status: 'success' as const }
    const older = { ...before, heardAt: minute(4), percent: 3 }
    expect(mergeOperations([before], [later])).toEqual([later])
    expect(mergeOperations([before], [older])[0]).toBe(before)
    expect(ids(mergeOperations([before], [operation('new')]))).toEqual(['web-1', 'new'])
  })
})
