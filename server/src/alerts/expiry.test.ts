import { describe, expect, test } from 'vitest'
import type { RaisedAlert, Reading } from './expiry.ts'
import { pendingFor, planAlerts, thresholdOf } from './expiry.ts'
import type { KnownCertificate } from './known-certificate.ts'

const now = Date.UTC(2026, 10, 22)
const days = (count: number) => now + count * 86_400_000
const certificate = (expiresAt: number, more: Partial<KnownCertificate> = {}): KnownCertificate => ({
  kind: 'cluster',
  cluster: 'prod',
  name: 'prod',
  fingerprint: 'aa',
  expiresAt,
  ...more,
})
const reading = (certificates: Reading['certificates'], source = 'cluster prod'): Reading => ({ source, certificates })
const raised = (threshold: RaisedAlert['threshold'], more: Partial<RaisedAlert> = {}): RaisedAlert => ({
  key: 'prod/aa',
  threshold,
  source: 'cluster prod',
  certificate: certificate(days(threshold)),
  raisedAt: now,
  takenBy: [],
  ...more,
})

describe('the threshold of a certificate', () => {
  test.each([
    ['a month and a bit before', 30.001, null],
    ['thirty days before, to the second', 30, 30],
    ['fifteen days before', 15, 30],
    ['a fortnight before', 14, 14],
    ['a week and an hour before', 7.04, 14],
    ['a week before', 7, 7],
    ['three days before', 3, 3],
    ['a day and a bit before', 1.01, 3],
    ['a day before', 1, 1],
    ['an hour before', 0.04, 1],
    ['once it has ended', -5, 1],
  ])('%s its end (%s days) is %s', (_when, daysLeft, threshold) => {
    expect(thresholdOf(days(daysLeft), now)).toBe(threshold)
  })
})

describe('what is raised', () => {
  const raisedFor = (readings: readonly Reading[], before: readonly RaisedAlert[] = []) =>
    planAlerts(readings, before, now).raise.map(({ key, threshold, source }) => [key, threshold, source])

  test('is nothing while there is time', () => {
    expect(raisedFor([reading([certificate(days(31))])])).toEqual([])
  })

  test('is one alert, also for what is first seen when several thresholds have passed', () => {
    expect(raisedFor([reading([certificate(days(5))])])).toEqual([['prod/aa', 7, 'cluster prod']])
  })

  test('is nothing that was raised before, and the next threshold when it is reached', () => {
    expect(raisedFor([reading([certificate(days(6))])], [raised(7)])).toEqual([])
    expect(raisedFor([reading([certificate(days(3))])], [raised(14), raised(7)])).toEqual([
      ['prod/aa', 3, 'cluster prod'],
    ])
  })

  test('is not raised again by a clock that was set back', () => {
    expect(raisedFor([reading([certificate(days(10))])], [raised(7)])).toEqual([])
  })

  test('is one alert for a certificate in several places of a cluster, by the first of them', () => {
    const atPath = certificate(days(2), { kind: 'access-path', name: 'lb' })
    expect(raisedFor([reading([certificate(days(2))]), reading([atPath], 'paths prod')])).toEqual([
      ['prod/aa', 3, 'cluster prod'],
    ])
  })

  test('is one for each cluster and certificate', () => {
    const others = [certificate(days(2), { cluster: 'lab' }), certificate(days(2), { fingerprint: 'bb' })]
    expect(raisedFor([reading([certificate(days(2)), ...others])]).map(([key]) => key)).toEqual([
      'prod/aa',
      'lab/aa',
      'prod/bb',
    ])
  })
})

describe('a certificate is gone', () => {
  test.each<[string, readonly Reading[], readonly string[]]>([
    ['when another is in its place', [reading([certificate(days(90), { fingerprint: 'bb' })])], ['prod/aa']],
    ['when its source knows nothing more of it', [reading([])], ['prod/aa']],
    ['when its cluster is no longer configured', [], ['prod/aa']],
    ['not while its source knows nothing at all', [reading(null)], []],
    ['not while it is there', [reading([certificate(days(6))])], []],
    ['not while another source knows it', [reading([]), reading([certificate(days(6))], 'paths prod')], []],
  ])('%s', (_when, readings, settle) => {
    expect(planAlerts(readings, [raised(14), raised(7)], now).settle).toEqual(settle)
  })
})

describe('a sink has still to be told', () => {
  test('the most urgent alert of each certificate, the soonest end first', () => {
    const other = raised(3, { key: 'prod/bb', certificate: certificate(days(3), { fingerprint: 'bb' }) })
    const pending = pendingFor('email', [raised(14), raised(7), other])
    expect(pending.map(({ key, threshold }) => [key, threshold])).toEqual([
      ['prod/bb', 3],
      ['prod/aa', 7],
    ])
  })

  test('nothing that it has, whatever another has', () => {
    const all = [raised(14, { takenBy: ['webhook', 'email'] }), raised(7, { takenBy: ['webhook'] })]
    expect(pendingFor('webhook', all)).toEqual([])
    expect(pendingFor('email', all).map(({ threshold }) => threshold)).toEqual([7])
  })
})
