import type { Instance } from '@malleus/shared/api/instances.ts'
import { describe, expect, it, test } from 'vitest'
import {
  allColumns,
  describeList,
  filterInstances,
  formatSort,
  parseSort,
  shownColumns,
  sortInstances,
} from './instance-list.ts'

function instance(name: string, more: Partial<Instance> = {}): Instance {
  return {
    name,
    project: 'default',
    location: 'server1',
    type: 'container',
    status: 'Running',
    architecture: 'x86_64',
    profiles: ['default'],
    description: '',
    image: 'Debian trixie',
    addresses: ['10.60.0.44'],
    createdAt: '2026-11-01T00:00:00.000Z',
    lastUsedAt: null,
    ...more,
  }
}

const untold = {
  type: null,
  status: null,
  architecture: null,
  profiles: null,
  image: null,
  addresses: null,
  createdAt: null,
}
const all = [
  instance('web-10'),
  instance('web-2', { status: 'Stopped', project: 'shop' }),
  instance('db-1', { type: 'virtual-machine', location: 'server12', profiles: ['default', 'data'] }),
  instance('queue-1', { ...untold, location: 'server3' }),
]
const names = (instances: readonly Instance[]) => instances.map(({ name }) => name)

describe('the filter', () => {
  test.each([
    ['', ['web-10', 'web-2', 'db-1', 'queue-1']],
    ['WEB', ['web-10', 'web-2']],
    ['stopped', ['web-2']],
    ['vm', ['db-1']],
    ['virtual-machine', ['db-1']],
    ['shop', ['web-2']],
    ['server12', ['db-1']],
    ['data', ['db-1']],
    ['10.60', ['web-10', 'web-2', 'db-1']],
    ['trixie running', ['web-10', 'db-1']],
    ['unknown', ['queue-1']],
    ['web shop running', []],
  ])('%j leaves what has each word somewhere', (query, expected) => {
    expect(names(filterInstances(all, query))).toEqual(expected)
  })

  it('never finds a word across two things', () => {
    expect(filterInstances(all, '10default')).toEqual([])
  })
})

describe('the order', () => {
  test.each([
    [undefined, ['db-1', 'queue-1', 'web-2', 'web-10']],
    ['nonsense', ['db-1', 'queue-1', 'web-2', 'web-10']],
    ['-name', ['web-10', 'web-2', 'queue-1', 'db-1']],
    ['location', ['web-2', 'web-10', 'queue-1', 'db-1']],
    ['state', ['db-1', 'web-10', 'web-2', 'queue-1']],
    ['-state', ['web-2', 'db-1', 'web-10', 'queue-1']],
    ['type', ['web-2', 'web-10', 'db-1', 'queue-1']],
  ])('%s, with what is not known last', (text, expected) => {
    const sort = parseSort(text)
    expect(names(sortInstances(all, sort))).toEqual(expected)
    expect(parseSort(formatSort(sort))).toEqual(sort)
  })

  it('of ten thousand is there within the time of a few frames, and the filter within one', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => instance(`web-${(at * 7919) % 10_000}`))
    const sorted = sortInstances(many, parseSort('location'))
    filterInstances(sorted, 'web')
    const begun = performance.now()
    expect(filterInstances(sorted, 'web 99')).toHaveLength(199 + 81)
    // Generous for a machine with other work; it takes two.
    expect(performance.now() - begun).toBeLessThan(50)
  })
})

describe('columns', () => {
  it('are those that were chosen, in the usual order, and always name and state', () => {
    expect(shownColumns(['created', 'type', 'no such'])).toEqual(['name', 'state', 'type', 'created'])
    expect(shownColumns([])).toEqual(['name', 'state'])
    expect(shownColumns(null).length).toBeLessThan(allColumns.length)
  })
})

describe('the sentence', () => {
  test.each([
    [all, 4, '4 instances in 2 projects, on 3 servers.'],
    [all, 1, '1 of 4 instances in 2 projects, on 3 servers.'],
    [[instance('a')], 1, '1 instance in project default, on 1 server.'],
    [[instance('a', { ...untold, location: null })], 1, '1 instance in project default.'],
    [[], 0, 'No instances.'],
  ])('says how many there are and where', (instances, shown, expected) => {
    expect(describeList(instances, shown)).toBe(expected)
  })
})
