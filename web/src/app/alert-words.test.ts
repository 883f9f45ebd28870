import type { CertificateAlert } from '@malleus/shared/api/alerts.ts'
import { describe, expect, test } from 'vitest'
import { alertTone, describeCount, describeSink, elsewhere } from './alert-words.ts'

const now = Date.UTC(2026, 10, 22)
const day = 86_400_000
const alert = (threshold: CertificateAlert['threshold']): CertificateAlert => ({
  kind: 'cluster',
  cluster: 'prod',
  name: 'prod',
  fingerprint: 'aa',
  expiresAt: new Date(now + threshold * day).toISOString(),
  threshold,
})

describe('the bell', () => {
  test.each<[string, CertificateAlert['threshold'][], string | null]>([
    ['nothing ends', [], null],
    ['something ends in weeks', [30], 'warning'],
    ['something ends within a week', [7, 30], 'warning'],
    ['something ends within three days', [30, 3], 'bad'],
    ['something ends within a day, or has ended', [1], 'bad'],
  ])('when %s', (_when, thresholds, tone) => {
    expect(alertTone(thresholds.map(alert))).toBe(tone)
  })

  test('says how many, and nothing before it knows', () => {
    expect(describeCount(undefined)).toBe('Certificates that end: none within 30 days')
    expect(describeCount([alert(7), alert(3)])).toBe('Certificates that end: 2 within 30 days')
  })
})

test('what no page of the console mends has a sentence of its own', () => {
  expect(elsewhere({ kind: 'console' })).toContain('malleus.yaml')
  expect(elsewhere({ kind: 'provider' })).toContain('provider')
  expect(elsewhere({ kind: 'trust-entry' })).toBeNull()
})

describe('who is told', () => {
  const state = { sink: 'email' as const, to: 'ops@example.net', waiting: 0, deliveredAt: null, failure: null }
  const at = new Date(now - 2 * 60_000).toISOString()

  test.each([
    [state, 'Nothing had to be told yet.'],
    [{ ...state, deliveredAt: at }, 'Last told 2 min ago.'],
    [{ ...state, waiting: 3 }, '3 to be told.'],
    [
      { ...state, waiting: 3, failure: { at, message: 'mail:587: 550 no', nextTryAt: at } },
      'Not taken 2 min ago: mail:587: 550 no. It is tried again.',
    ],
  ])('%o', (sink, sentence) => {
    expect(describeSink(sink, now)).toBe(sentence)
  })
})
