import { X509Certificate } from 'node:crypto'
import { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import type { Health } from '@malleus/shared/api/health.ts'
import { describe, expect, test } from 'vitest'
import type { KeyPair } from '../../testing/certificate-authority.ts'
import { createCertificateAuthority, selfSigned } from '../../testing/certificate-authority.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import type { Verdict } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { CertificateFacts } from './cluster-certificates.ts'
import { certificateExpiresAt, clusterCertificate } from './cluster-certificates.ts'

const day = 86_400_000
const now = Date.now()
const old = selfSigned({ commonName: 'old', names: ['10.0.0.1'], notBefore: new Date(now - 90 * day) })
const current = selfSigned({
  commonName: 'current',
  names: ['10.0.0.1', 'incus.example'],
  notBefore: new Date(now - 9 * day),
})
const next = selfSigned({ commonName: 'next', names: ['10.0.0.1'], notBefore: new Date(now - day) })
const fingerprint = (pair: KeyPair) => fingerprintOf(new X509Certificate(pair.certificate))

const healthy: Health = {
  standing: 'healthy',
  symptom: null,
  since: '2026-11-22T00:00:00.000Z',
  answerMs: 2,
  answeredAt: null,
  failure: null,
}
const stuck: Health = {
  ...healthy,
  standing: 'ejected',
  symptom: 'stuck',
  failure: { phase: 'tls', message: 'No TLS handshake.', at: healthy.since },
}

function member(
  name: string,
  shown: KeyPair | null,
  verdict: Verdict = 'same',
  more: { health?: Health; contacted?: boolean } = {},
) {
  const { health = healthy, contacted = true } = more
  const endpoint = parseEndpoint(`10.0.0.${name.slice(-1)}:8443`)
  return {
    known: { name, endpoint, groups: [], contacted, why: contacted ? null : 'Its address is outside.' },
    health,
    presented: shown && { certificate: new X509Certificate(shown.certificate), chain: [], verdict, seenAt: now },
  }
}

function facts(more: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    anchor: {
      kind: 'fingerprints',
      pins: [{ fingerprint: fingerprint(current), position: 'current', from: 'configuration' }],
    },
    members: [member('server1', current)],
    announced: null,
    names: [],
    clustered: true,
    config: null,
    renewsByShare: false,
    drifted: [],
    changes: [],
    identity: null,
    findings: [],
    ...more,
  }
}

/** As it goes over the wire: what the contract does not take must not leave. */
function view(more: Partial<CertificateFacts> = {}) {
  return ClusterCertificate.parse(clusterCertificate(facts(more)))
}

describe('what each member presents, beside the certificate of the cluster', () => {
  test.each<[string, ReturnType<typeof member>, string, RegExp]>([
    ['the same', member('server2', current), 'same', /^$/],
    ['the one before', member('server2', old), 'older', /before/],
    ['the successor', member('server2', next, 'next'), 'next', /successor/],
    ['a stranger', member('server2', selfSigned({ commonName: 'x' }), 'unknown'), 'unknown', /Nothing is sent/],
    ['one that has expired', member('server2', current, 'expired'), 'expired', /expired/],
    ['nothing, ever', member('server2', null), 'no-handshake', /no handshake yet/],
    [
      'nothing while it is stuck',
      member('server2', current, 'same', { health: stuck }),
      'no-handshake',
      /No TLS handshake/,
    ],
    [
      'the one before while it starts, after a handshake',
      member('server2', old, 'same', {
        health: { ...stuck, symptom: 'starting', failure: { phase: 'answer', message: 'x', at: healthy.since } },
      }),
      'older',
      /before/,
    ],
    [
      'nothing, because it is not contacted',
      member('server2', null, 'same', { contacted: false }),
      'no-handshake',
      /outside/,
    ],
  ])('%s', (_, second, verdict, note) => {
    const { presented } = view({ members: [member('server1', current), second], announced: current.certificate })
    expect(presented[1]).toMatchObject({ member: 'server2', verdict })
    expect(presented[1]?.note ?? '').toMatch(note)
  })

  test('a member that is stuck keeps the last one seen', () => {
    const { presented } = view({ members: [member('server1', current, 'same', { health: stuck })] })
    expect(presented[0]).toMatchObject({ fingerprint: fingerprint(current), seenAt: new Date(now).toISOString() })
  })
})

test('a member that was left behind says why, and one that is silent what it presented last', () => {
  const { presented } = view({
    members: [
      member('server1', current),
      member('server2', old),
      member('server3', current, 'same', { health: stuck }),
      member('server4', old, 'unknown'),
    ],
    announced: current.certificate,
    drifted: [{ member: 'server2', fingerprint: fingerprint(old), reason: 'It was away.' }],
    changes: [{ at: Date.UTC(2026, 10, 1), fingerprint: fingerprint(current), before: fingerprint(old), absent: [] }],
  })
  expect(presented.map(({ verdict, was, note }) => [verdict, was, note])).toEqual([
    ['same', 'same', null],
    ['older', 'older', 'It was away.'],
    ['no-handshake', 'same', 'No TLS handshake.'],
    ['unknown', 'unknown', expect.stringMatching(/had until 2026-11-01 00:00 UTC\. .*Nothing is sent/)],
  ])
})

describe('the certificate of the cluster', () => {
  test('is the one that the cluster announces, also before a member presents it', () => {
    const { certificate, presented } = view({ announced: next.certificate })
    expect(certificate.value?.subject).toBe('CN=next')
    expect(certificate.freshness.kind).toBe('stale')
    expect(presented[0]?.verdict).toBe('older')
  })

  test('is the one that was presented, where the cluster does not tell', () => {
    expect(view().certificate.value?.fingerprint).toBe(fingerprint(current))
    expect(certificateExpiresAt(facts())).toBe(Date.parse(view().certificate.value?.expiresAt ?? ''))
  })

  test('is never that of a stranger', () => {
    const { certificate } = view({ members: [member('server1', old, 'unknown')] })
    expect(certificate).toMatchObject({ value: null, freshness: { kind: 'unavailable' } })
    expect(certificateExpiresAt(facts({ members: [] }))).toBeNull()
  })

  test('names that are needed, and whether it covers them', () => {
    const { namesNeeded } = view({
      members: [member('server1', current), member('server2', current)],
      names: [
        { name: 'incus.example', usedFor: 'DNS' },
        { name: 'lb.example', usedFor: 'load balancer' },
      ],
    })
    expect(namesNeeded[1]).toMatchObject({ usedFor: 'load balancer', breaks: expect.stringMatching(/^Browsers warn/) })
    expect(namesNeeded.map(({ name, covered }) => [name, covered])).toEqual([
      ['incus.example', true],
      ['lb.example', false],
      ['10.0.0.1', true],
      ['10.0.0.2', false],
    ])
  })

  test('with an authority, its chain and the name that is checked', () => {
    const authority = createCertificateAuthority('Example authority')
    const issued = authority.issue({ commonName: 'incus', names: ['incus.example'] })
    const shown = member('server1', issued, 'trusted')
    const chain = [new X509Certificate(authority.certificate)]
    const seen = view({
      anchor: { kind: 'ca', certificates: authority.certificate, serverName: 'incus.example' },
      members: [{ ...shown, presented: shown.presented && { ...shown.presented, chain } }],
    })
    expect(seen.trust).toMatchObject({ kind: 'ca', subject: 'CN=Example authority', serverName: 'incus.example' })
    expect(seen.chain.map(({ subject }) => subject)).toEqual(['CN=Example authority'])
    expect(seen.namesNeeded[0]).toMatchObject({ name: 'incus.example', covered: true })
    expect(seen.presented[0]?.verdict).toBe('same')
  })

  test("the console's own, without its key", () => {
    const identity = selfSigned({ commonName: 'malleus' })
    const seen = view({ identity: { certificate: identity.certificate, unrestricted: true } })
    expect(seen.identity).toMatchObject({ certificate: { subject: 'CN=malleus' }, unrestricted: true })
    expect(JSON.stringify(seen)).not.toContain('PRIVATE')
  })
})
