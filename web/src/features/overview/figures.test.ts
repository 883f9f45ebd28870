import type { ClusterFigures, ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { expect, test } from 'vitest'
import { figuresOf } from './figures.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
const cluster: ClusterSummary = {
  name: 'prod-eu',
  reachable: true,
  clustered: true,
  members: { total: 5, answering: 4 },
  worst: 'ejected',
  mode: 'bearer',
  version: '7.0.1',
  databaseAvailable: true,
  database: { kind: 'answers' },
  panic: false,
  lateTogether: false,
  certificate: { expiresAt: '2026-12-11T07:00:00.000Z' },
  offlineThresholdSeconds: 20,
  findings: [],
}
const figures: ClusterFigures = {
  since: '2026-11-21T06:12:00.000Z',
  requests: { served: 18_204, failed: 0, hedged: 37 },
  slowest1Ms: 38,
  directSlowest1Ms: 20,
}
const said = (...[c, f]: [ClusterSummary | undefined, ClusterFigures | undefined]) =>
  figuresOf(c, [], f, now).map(({ title, value, note, tone }) => `${title}: ${value} ${note} ${tone ?? ''}`.trim())

test('what was measured is said with what it means', () => {
  expect(said(cluster, figures)).toEqual([
    'Servers answering: 4 of 5 warning',
    'Requests served, last hour: 18,204 0 failed, 37 hedged',
    'Slowest 1% of requests: 38 ms 1.9× a direct call',
    'Cluster certificate: 19 days until 11 Dec 2026 warning',
  ])
})

test('where direct calls are slower, because a server is slow to everybody, theirs is the figure', () => {
  expect(said(cluster, { ...figures, directSlowest1Ms: 502 })).toContain(
    'Slowest 1% of requests: 38 ms direct calls 502 ms',
  )
})

test('before there is data, nothing is made up', () => {
  expect(figuresOf(undefined, [], undefined, now).map(({ value }) => value)).toEqual([null, null, null, null])
  const young = { ...figures, since: '2026-11-22T06:09:00.000Z', slowest1Ms: null, directSlowest1Ms: null }
  expect(said({ ...cluster, certificate: null }, young)).toEqual([
    'Servers answering: 4 of 5 warning',
    'Requests served, last 3 min: 18,204 0 failed, 37 hedged',
    'Slowest 1% of requests: null',
    'Cluster certificate: null',
  ])
})

test.each<[number, string]>([
  [5, 'Servers answering: 5 of 5'],
  [3, 'Servers answering: 3 of 5 warning'],
  [2, 'Servers answering: 2 of 5 bad'],
  [0, 'Servers answering: 0 of 5 bad'],
])('%i of five that answer: "%s"', (answering, line) => {
  expect(said({ ...cluster, members: { total: 5, answering } }, undefined)[0]).toBe(line)
})

test('failures and an expired certificate stand out', () => {
  const [, requests, , certificate] = said(
    { ...cluster, certificate: { expiresAt: '2026-11-20T00:00:00Z' } },
    { ...figures, requests: { served: 10, failed: 2, hedged: 0 } },
  )
  expect(requests).toBe('Requests served, last hour: 10 2 failed, 0 hedged warning')
  expect(certificate).toBe('Cluster certificate: expired on 20 Nov 2026 bad')
})
