import type { Member } from '@malleus/shared/api/members.ts'
import { describe, expect, test } from 'vitest'
import { describeList, filterMembers, formatSort, parseSort, shownColumns, sortMembers } from './member-list.ts'

const asOf = '2026-11-22T06:12:00.000Z'
const fresh = { kind: 'fresh', asOf } as const
const missing = { value: null, freshness: { kind: 'unavailable', reason: 'x' } } as const

function server(name: string, answerMs: number | null, change: Partial<Member> = {}): Member {
  return {
    name,
    address: `10.20.0.${name.replace(/\D/g, '')}:8443`,
    notContacted: null,
    reported: {
      value: {
        status: 'Online',
        message: '',
        roles: ['database'],
        groups: ['default'],
        failureDomain: 'rack-a',
        architecture: '',
        description: '',
        database: true,
      },
      freshness: fresh,
    },
    presented: null,
    load: missing,
    memory: missing,
    instances: missing,
    health: { standing: 'healthy', symptom: null, since: asOf, answerMs, answeredAt: asOf, failure: null },
    ...change,
  }
}
const stuck = server('server3', null, {
  health: { standing: 'ejected', symptom: 'stuck', since: asOf, answerMs: 3, answeredAt: asOf, failure: null },
})
const silent = server('server4', null, { reported: missing })
const rows = [server('server10', 4), server('server2', 9), stuck, silent]
const names = (members: readonly Member[]) => members.map(({ name }) => name)

describe('sorting', () => {
  test.each<[string | undefined, string[]]>([
    [undefined, ['server2', 'server3', 'server4', 'server10']],
    ['-server', ['server10', 'server4', 'server3', 'server2']],
    ['answer', ['server10', 'server2', 'server3', 'server4']],
    ['-answer', ['server3', 'server2', 'server10', 'server4']],
    ['health', ['server3', 'server2', 'server4', 'server10']],
    ['reported', ['server2', 'server3', 'server10', 'server4']],
    ['-memory', ['server2', 'server3', 'server4', 'server10']],
    ['nonsense', ['server2', 'server3', 'server4', 'server10']],
    ['constructor', ['server2', 'server3', 'server4', 'server10']],
  ])('by %s', (sort, order) => expect(names(sortMembers(rows, parseSort(sort)))).toEqual(order))

  test('the link says nothing of the usual order', () => {
    expect(formatSort(parseSort(undefined))).toBeUndefined()
    expect(formatSort(parseSort('-server'))).toBe('-server')
    expect(formatSort(parseSort('answer'))).toBe('answer')
  })
})

describe('filtering', () => {
  test.each<[string, boolean, string[]]>([
    ['', false, ['server10', 'server2', 'server3', 'server4']],
    ['stuck', false, ['server3']],
    ['RACK-A healthy', false, ['server10', 'server2']],
    ['@default 10.20.0.2', false, ['server2']],
    ['offline', false, []],
    ['', true, ['server3']],
  ])('"%s", attention %s', (query, attention, left) =>
    expect(names(filterMembers(rows, query, attention))).toEqual(left),
  )
})

test('chosen columns keep their order, and the fixed ones stay', () => {
  expect(shownColumns(['memory', 'answer', 'gone'])).toEqual(['server', 'health', 'answer', 'memory', 'actions'])
  expect(shownColumns(null)).toHaveLength(13)
  expect(shownColumns(null)).not.toContain('address')
})

test('the sentence counts', () => {
  expect(describeList(rows, 4)).toBe('4 servers. 1 needs attention.')
  expect(describeList(rows, 2)).toBe('2 of 4 servers. 1 needs attention.')
  expect(describeList([server('a', 1)], 1)).toBe('1 server. All well.')
})
