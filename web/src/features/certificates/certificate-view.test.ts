import type { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { expect, test } from 'vitest'
import { describePresented, describeValidity, lifePassed } from './certificate-view.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
type Verdict = ClusterCertificate['presented'][number]['verdict']
const presented = (...verdicts: Verdict[]) => ({
  presented: verdicts.map((verdict, index) => ({
    member: `server${index + 1}`,
    verdict,
    was: null,
    fingerprint: null,
    expiresAt: null,
    seenAt: null,
    note: null,
  })),
})

test.each<[Verdict[], string]>([
  [[], 'No server has been asked yet.'],
  [['same'], 'One certificate faces every client.'],
  [['same', 'same'], 'One certificate faces every client, on all servers.'],
  [['same', 'no-handshake'], 'One certificate faces every client, on all servers that answer.'],
  [['no-handshake', 'no-handshake'], 'No server makes a handshake now; this is what was last seen.'],
  [['same', 'older'], "server2 presents a certificate that is not the cluster's."],
  [['unknown', 'older', 'same'], "server1 and server2 present a certificate that is not the cluster's."],
  [['same', 'next', 'next'], 'A new certificate is arriving: 2 of 3 servers present it.'],
])('%j', (verdicts, sentence) => expect(describePresented(presented(...verdicts))).toBe(sentence))

test.each([
  ['2026-09-13T00:00:00Z', '2026-12-11T07:00:00Z', 'Expires in 19 days', 78],
  ['2026-01-01T00:00:00Z', '2036-01-01T00:00:00Z', 'Valid for 9 years', 8],
  ['2025-01-01T00:00:00Z', '2026-11-19T06:00:00Z', 'Expired 3 days ago', 100],
  ['2026-11-22T08:12:00Z', '2027-11-22T08:12:00Z', 'Valid only in 2 h', 0],
  ['2026-11-22T08:12:00Z', '2026-11-22T08:12:00Z', 'Valid only in 2 h', 100],
])('from %s until %s: "%s"', (validFromAt, expiresAt, text, passed) => {
  expect(describeValidity({ validFromAt, expiresAt }, now)).toBe(text)
  expect(Math.floor(lifePassed(validFromAt, expiresAt, now))).toBe(passed)
})
