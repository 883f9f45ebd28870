import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { expect, test } from 'vitest'
import { describeSummary } from './cluster-summary.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
const healthy: ClusterSummary = {
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
  certificate: { expiresAt: '2026-12-11T07:00:00.000Z' },
  offlineThresholdSeconds: 20,
  findings: [],
}

test.each<[Partial<ClusterSummary>, string]>([
  [{}, 'good all servers answer: 5 servers · 7.0.1 · 19 d'],
  [
    { worst: 'ejected', members: { total: 5, answering: 4 } },
    'bad a server does not answer: 4/5 servers · 7.0.1 · 19 d',
  ],
  [{ worst: 'untrusted' }, 'bad a server presents a wrong certificate: 5 servers · 7.0.1 · 19 d'],
  [{ worst: 'suspect' }, 'warning a server is unwell: 5 servers · 7.0.1 · 19 d'],
  [{ databaseAvailable: false }, 'bad no cluster database: 5 servers · 7.0.1 · 19 d'],
  [
    { reachable: false, worst: 'ejected', members: { total: 1, answering: 0 } },
    'bad not reachable: 0/1 server · 7.0.1 · 19 d',
  ],
  [
    { reachable: false, worst: 'unknown', members: { total: 2, answering: 0 }, version: null, certificate: null },
    'unknown not measured yet: 0/2 servers',
  ],
  [{ certificate: { expiresAt: '2036-11-19T00:00:00Z' } }, 'good all servers answer: 5 servers · 7.0.1 · 10 y'],
  [{ certificate: { expiresAt: '2026-11-20T00:00:00Z' } }, 'good all servers answer: 5 servers · 7.0.1 · expired'],
])('%j', (change, line) => {
  const { tone, word, facts } = describeSummary({ ...healthy, ...change }, now)
  expect(`${tone} ${word}: ${facts}`).toBe(line)
})
