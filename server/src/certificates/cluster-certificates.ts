/** The cluster certificate, how the console trusts it, and what each member presents: nothing here asks anybody. */
import { X509Certificate } from 'node:crypto'
import type { Certificate, ClusterCertificate, PresentedByMember } from '@malleus/shared/api/certificate.ts'
import type { Finding } from '@malleus/shared/api/finding.ts'
import type { Known } from '@malleus/shared/api/freshness.ts'
import type { Health } from '@malleus/shared/api/health.ts'
import type { z } from 'zod'
import type { KnownMember } from '../clusters/member-directory.ts'
import type { TrustAnchor, Verdict } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import { instant } from '../lib/clock.ts'
import { covers, describeCertificate } from './parse-certificate.ts'

type Presented = z.infer<typeof PresentedByMember>

/** What a member showed in the last handshake that came that far; `seenAt` is wall clock. */
export interface LastPresented {
  readonly certificate: X509Certificate
  readonly chain: readonly X509Certificate[]
  readonly verdict: Verdict
  readonly seenAt: number
}

export interface CertificateFacts {
  readonly anchor: TrustAnchor
  readonly members: readonly {
    readonly known: KnownMember
    readonly health: Health
    readonly presented: LastPresented | null
  }[]
  /** What the cluster says is its certificate, PEM; null while it is not known. */
  readonly announced: string | null
  /** Names that clients use for the cluster, from its access paths, with what they are for. */
  readonly names: readonly { readonly name: string; readonly usedFor: string }[]
  readonly identity: { readonly certificate: string; readonly unrestricted: boolean } | null
  readonly findings: readonly Finding[]
}

export function clusterCertificate(facts: CertificateFacts): ClusterCertificate {
  const current = currentCertificate(facts)
  return {
    certificate: knownCertificate(current),
    chain: (current?.chain ?? []).map(describeCertificate),
    trust: trustView(facts.anchor),
    namesNeeded: namesNeeded(facts, current?.certificate ?? null),
    presented: facts.members.map((member) => presentedBy(member, current?.certificate ?? null)),
    identity: facts.identity && {
      certificate: describeCertificate(new X509Certificate(facts.identity.certificate)),
      unrestricted: facts.identity.unrestricted,
    },
    findings: [...facts.findings],
  }
}

/** When the certificate of the cluster ends, wall clock; null before one was seen. */
export function certificateExpiresAt(facts: Pick<CertificateFacts, 'members' | 'announced'>): number | null {
  return currentCertificate(facts)?.certificate.validToDate.getTime() ?? null
}

interface Current {
  readonly certificate: X509Certificate
  readonly chain: readonly X509Certificate[]
  readonly seenAt: number | null
}

/**
 * The one that the cluster announces; where it does not tell us, the one that was seen last among those that are
 * trusted. What a stranger presents is never taken for it.
 */
function currentCertificate({ members, announced }: Pick<CertificateFacts, 'members' | 'announced'>): Current | null {
  const seen = members
    .flatMap(({ presented }) => (presented === null || presented.verdict === 'unknown' ? [] : [presented]))
    .toSorted((a, b) => b.seenAt - a.seenAt)
  const said = parsed(announced)
  if (said === null) return seen[0] ?? null
  const same = seen.find(({ certificate }) => certificate.fingerprint256 === said.fingerprint256)
  return same ?? { certificate: said, chain: [], seenAt: null }
}

function parsed(pem: string | null): X509Certificate | null {
  if (pem === null) return null
  try {
    return new X509Certificate(pem)
  } catch {
    return null
  }
}

function knownCertificate(current: Current | null): Known<Certificate> {
  if (current === null) {
    return {
      value: null,
      freshness: { kind: 'unavailable', reason: 'No server has presented a certificate that is trusted yet.' },
    }
  }
  const value = describeCertificate(current.certificate)
  if (current.seenAt !== null) return { value, freshness: { kind: 'fresh', asOf: instant(current.seenAt) } }
  const reason = 'The cluster says so; no server has presented it to this console yet.'
  return { value, freshness: { kind: 'stale', asOf: value.validFromAt, reason } }
}

function trustView(anchor: TrustAnchor): ClusterCertificate['trust'] {
  if (anchor.kind === 'fingerprints') {
    return { kind: 'fingerprints', pins: anchor.pins.map((pin) => ({ ...pin })) }
  }
  const authority = describeCertificate(new X509Certificate(anchor.certificates))
  return { kind: 'ca', subject: authority.subject, expiresAt: authority.expiresAt, serverName: anchor.serverName }
}

function namesNeeded(facts: CertificateFacts, certificate: X509Certificate | null): ClusterCertificate['namesNeeded'] {
  const needed = new Map<string, string>()
  if (facts.anchor.kind === 'ca') needed.set(facts.anchor.serverName, 'this console, which checks it')
  for (const { name, usedFor } of facts.names) if (!needed.has(name)) needed.set(name, usedFor)
  for (const { known } of facts.members) {
    const { host } = known.endpoint
    if (!needed.has(host)) needed.set(host, `clients that connect to ${known.name} directly`)
  }
  return [...needed].map(([name, usedFor]) => {
    return { name, usedFor, covered: certificate !== null && covers(certificate, name) }
  })
}

function presentedBy(
  { known, health, presented }: CertificateFacts['members'][number],
  current: X509Certificate | null,
): Presented {
  const last = {
    member: known.name,
    fingerprint: presented && fingerprintOf(presented.certificate),
    expiresAt: presented && instant(presented.certificate.validToDate.getTime()),
    seenAt: presented && instant(presented.seenAt),
  }
  if (!known.contacted) return { ...last, verdict: 'no-handshake', note: known.why }
  if (presented === null || health.standing === 'ejected') {
    return { ...last, verdict: 'no-handshake', note: health.failure?.message ?? 'There was no handshake yet.' }
  }
  const verdict = verdictBeside(presented, current)
  return { ...last, verdict, note: notes[verdict] }
}

/** A trusted certificate that is not the current one was replaced, or is about to take its place. */
function verdictBeside({ certificate, verdict }: LastPresented, current: X509Certificate | null): Presented['verdict'] {
  if (verdict === 'unknown' || verdict === 'expired') return verdict
  if (current === null || certificate.fingerprint256 === current.fingerprint256) return 'same'
  return certificate.validFromDate < current.validFromDate ? 'older' : 'next'
}

const notes: Readonly<Record<Presented['verdict'], string | null>> = {
  same: null,
  next: 'It presents the successor already.',
  older: 'It presents the one before.',
  expired: 'It has expired.',
  unknown: "It is not the cluster's. Nothing is sent to this server.",
  'no-handshake': null,
}
