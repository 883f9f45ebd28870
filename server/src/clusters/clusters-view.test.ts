import { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { describe, expect, test } from 'vitest'
import { clusterSummary, withoutServers } from './clusters-view.ts'

function summary(standings: Standing[]): ClusterSummary {
  return ClusterSummary.parse(
    clusterSummary({
      name: 'prod',
      mode: 'bearer',
      standings,
      clustered: true,
      version: '6.0.4',
      database: { kind: 'unknown' },
      panic: false,
      lateTogether: false,
      certificateExpiresAt: Date.UTC(2030, 0, 1),
      offlineThresholdSeconds: 20,
      findings: [{ severity: 'info', code: 'no_identity', text: 'None.' }],
    }),
  )
}

describe('a cluster in a few words', () => {
  test.each<[Standing[], boolean, number, Standing]>([
    [[], false, 0, 'unknown'],
    [['unknown', 'unknown'], false, 0, 'unknown'],
    [['healthy', 'healthy', 'healthy'], true, 3, 'healthy'],
    [['healthy', 'ejected', 'healthy'], true, 2, 'ejected'],
    [['ejected', 'ejected', 'suspect'], true, 1, 'ejected'],
    [['ejected', 'untrusted'], false, 0, 'untrusted'],
    [['degraded', 'healthy'], true, 2, 'degraded'],
  ])('%j', (standings, reachable, answering, worst) => {
    expect(summary(standings)).toMatchObject({ reachable, worst, members: { total: standings.length, answering } })
  })

  test('says when its certificate ends, how long the cluster waits for a heartbeat, and what is found', () => {
    expect(summary(['healthy'])).toMatchObject({
      certificate: { expiresAt: '2030-01-01T00:00:00.000Z' },
      offlineThresholdSeconds: 20,
      findings: [{ severity: 'info', code: 'no_identity', text: 'None.' }],
    })
  })
})

test('who does not see the servers is told that the database is lost, and no names', () => {
  const since = '2026-11-22T15:00:00.000Z'
  const holders = [{ name: 'server1', leads: true, missing: { since, symptom: 'stuck' as const } }]
  const database = { kind: 'lost', since, cause: 'quorum', holders, rolesAsOf: since } as const
  const told = withoutServers({ ...summary(['healthy']), database })
  expect(told.database).toEqual({ kind: 'lost', since, cause: 'quorum', holders: [], rolesAsOf: null })
  expect(withoutServers(summary(['healthy'])).database).toEqual({ kind: 'unknown' })
})
