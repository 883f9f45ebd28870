import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { describe, expect, test } from 'vitest'
import { clusterTroubles, describeCluster, listNames, unwell } from './cluster-words.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
const missing = { value: null, freshness: { kind: 'unavailable', reason: 'not asked' } } as const

function server(name: string, health: Partial<Member['health']> = {}): Member {
  const since = new Date(now - 60_000).toISOString()
  return {
    name,
    address: '10.20.0.11:8443',
    notContacted: null,
    reported: missing,
    presented: null,
    load: missing,
    memory: missing,
    instances: missing,
    health: { standing: 'healthy', symptom: null, since, answerMs: 4, answeredAt: since, failure: null, ...health },
  }
}
const stuck = { standing: 'ejected', symptom: 'stuck' } as const
const lost: ClusterSummary['database'] = {
  kind: 'lost',
  since: '2026-11-22T06:11:00.000Z',
  cause: 'unexplained',
  holders: [],
  rolesAsOf: null,
}

function cluster(change: Partial<ClusterSummary> = {}): ClusterSummary {
  return {
    name: 'prod-eu',
    reachable: true,
    clustered: true,
    members: { total: 5, answering: 5 },
    worst: 'healthy',
    mode: 'bearer',
    version: '7.0.1',
    databaseAvailable: true,
    database: { kind: 'answers' },
    panic: false,
    lateTogether: false,
    certificate: { expiresAt: '2027-06-01T00:00:00Z' },
    offlineThresholdSeconds: 20,
    findings: [],
    ...change,
  }
}

describe('reachable or not, in one line', () => {
  test.each<[string, Member[], string]>([
    ['all answer', [server('a'), server('b')], 'good: prod-eu is reachable. All 2 servers answer.'],
    ['one answers', [server('a')], 'good: prod-eu is reachable. Its server answers.'],
    [
      'one is stuck',
      [server('a'), server('b'), server('c', stuck)],
      'warning: prod-eu is reachable. 2 of 3 servers answer. Requests skip c; nothing waits for it.',
    ],
    [
      'three are stuck',
      [server('a'), server('b', stuck), server('c', stuck), server('d', stuck)],
      'warning: prod-eu is reachable. 1 of 4 servers answer. Requests skip b, c and 1 other; nothing waits for them.',
    ],
    [
      'none answers',
      [server('a', stuck), server('b', stuck)],
      'bad: prod-eu is not reachable. None of its 2 servers answers. What you see is what was last known.',
    ],
    ['the list is not there yet', [], 'good: prod-eu is reachable. All 5 servers answer.'],
  ])('%s', (_, members, line) => {
    const { tone, headline, text } = describeCluster(cluster(), members)
    expect(`${tone}: ${headline}. ${text}`).toBe(line)
  })

  test.each<[string, Member[], string]>([
    ['the servers answer', [server('a'), server('b')], 'All 2 servers answer, and none of them reaches'],
    ['one does not', [server('a'), server('b', stuck)], '1 of 2 servers answers, and does not reach'],
    ['one server', [server('a')], 'Its server answers, and does not reach'],
  ])('without its database it is read-only: %s', (_, members, text) => {
    expect(describeCluster(cluster({ database: lost }), members)).toMatchObject({
      tone: 'bad',
      headline: 'prod-eu is read-only',
      text: expect.stringContaining(text),
    })
  })

  test('without its database and its servers it is not reachable', () => {
    const { headline } = describeCluster(cluster({ database: lost }), [server('a', stuck)])
    expect(headline).toBe('prod-eu is not reachable')
  })

  test('who may not see the servers is told how many answer, and no names', () => {
    const { text } = describeCluster(cluster({ members: { total: 5, answering: 4 } }), [])
    expect(text).toBe('4 of 5 servers answer.')
  })
})

describe('what is wrong with the cluster as a whole', () => {
  test.each<[string, Partial<ClusterSummary>, string[]]>([
    ['nothing', {}, []],
    ['nothing known', { databaseAvailable: null, database: { kind: 'unknown' }, certificate: null }, []],
    ['no database, which is told elsewhere', { databaseAvailable: false, database: lost }, []],
    ['panic for want of servers that hold the database', { panic: true, database: lost }, []],
    ['panic', { panic: true }, ['Fewer than half of the servers answer in time']],
    ['panic, but nobody answers at all', { panic: true, reachable: false }, []],
    ['late answers of all', { lateTogether: true }, ['Most servers answer late']],
    [
      'late answers of all, and panic',
      { lateTogether: true, panic: true },
      ['Fewer than half of the servers answer in time'],
    ],
    [
      'thirteen days left',
      { certificate: { expiresAt: '2026-12-05T12:00:00Z' } },
      ['The cluster certificate expires in 13 days'],
    ],
    ['fourteen days left', { certificate: { expiresAt: '2026-12-06T12:00:00Z' } }, []],
    ['hours left', { certificate: { expiresAt: '2026-11-22T12:00:00Z' } }, ['The cluster certificate expires today']],
    ['expired', { certificate: { expiresAt: '2026-11-20T12:00:00Z' } }, ['The cluster certificate has expired']],
  ])('%s', (_, change, headlines) => {
    expect(clusterTroubles(cluster(change), now).map(({ headline }) => headline)).toEqual(headlines)
  })
})

test('those who do not answer come before those who are slow, server2 before server10', () => {
  const slow = { standing: 'suspect', symptom: 'slow' } as const
  const members = [server('server10', stuck), server('server1'), server('server3', slow), server('server2', stuck)]
  expect(unwell(members).map(({ name }) => name)).toEqual(['server2', 'server10', 'server3'])
})

test.each<[string[], string]>([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and 1 other'],
  [['a', 'b', 'c', 'd'], 'a, b and 2 others'],
])('%j are "%s"', (names, text) => expect(listNames(names, 2)).toBe(text))
