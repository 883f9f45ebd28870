import { describe, expect, test } from 'vitest'
import { alertMessage, testMessage } from './alert-message.ts'
import type { RaisedAlert } from './expiry.ts'

const now = Date.UTC(2026, 10, 22)
const alert = (leftMs: number, more: Partial<RaisedAlert['certificate']> = {}): RaisedAlert => {
  const certificate = { cluster: 'prod', name: 'prod', fingerprint: 'a'.repeat(64), expiresAt: now + leftMs }
  return {
    key: `prod/${certificate.fingerprint}`,
    threshold: 7,
    source: 'cluster prod',
    certificate: { kind: 'cluster', ...certificate, ...more },
    raisedAt: now,
    takenBy: [],
  }
}
const hour = 3_600_000

describe('a message', () => {
  test('says whose certificate ends when, with its fingerprint and where to replace it', () => {
    expect(alertMessage([alert(150 * hour)], 'https://console.example.net', now)).toEqual({
      subject: 'The certificate of the cluster prod ends in 6 days',
      text: `The certificate of the cluster prod ends in 6 days, on 2026-11-28T06:00:00.000Z.\nSHA-256 ${'a'.repeat(64)}\nhttps://console.example.net/clusters/prod/certificates`,
      alerts: [
        {
          id: `prod/${'a'.repeat(64)}/7`,
          kind: 'cluster',
          cluster: 'prod',
          name: 'prod',
          fingerprint: 'a'.repeat(64),
          expiresAt: '2026-11-28T06:00:00.000Z',
          daysLeft: 6,
          url: 'https://console.example.net/clusters/prod/certificates',
        },
      ],
      test: false,
    })
  })

  test.each([
    [-hour, 'has ended'],
    [hour, 'ends within two hours'],
    [30 * hour, 'ends in 30 hours'],
    [48 * hour, 'ends in 2 days'],
  ])('with %s ms left says that it %s', (leftMs, words) => {
    expect(alertMessage([alert(leftMs)], 'https://c.example', now).subject).toBe(
      `The certificate of the cluster prod ${words}`,
    )
  })

  test('of several names the first and counts the rest', () => {
    const others = [
      alert(60 * hour, { kind: 'identity' }),
      alert(61 * hour, { kind: 'access-path', name: 'lb' }),
      alert(62 * hour, { kind: 'trust-entry', name: 'jo' }),
      alert(63 * hour, { kind: 'console', cluster: null }),
      alert(64 * hour, { kind: 'provider', cluster: null, name: 'idp.example.net' }),
    ]
    const { subject, text } = alertMessage([alert(50 * hour), ...others], 'https://c.example', now)
    expect(subject).toBe('The certificate of the cluster prod ends in 2 days, and 5 more')
    expect(text.split('\n\n').map((paragraph) => paragraph.split(' ends')[0])).toEqual([
      'The certificate of the cluster prod',
      'The certificate by which prod knows this console',
      'The certificate at the access path lb of prod',
      'The certificate of jo, whom prod trusts',
      'The certificate that this console shows to browsers',
      'The certificate of the identity provider, idp.example.net',
    ])
  })

  test('that is a test says so', () => {
    expect(testMessage('https://c.example')).toMatchObject({ test: true, alerts: [] })
  })
})
