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
import type { Drifted, KeptChange } from './drift.ts'
import { describeFormer } from './drift.ts'
import type { AccessName, NeededName } from './names-needed.ts'
import { namesNeeded } from './names-needed.ts'
import { covers, describeCertificate } from './parse-certificate.ts'
import { renewalOf } from './renewal.ts'

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
  readonly names: readonly AccessName[]
  /** Null while it is not known. */
  readonly clustered: boolean | null
  /** The cluster's configuration as far as it may be seen; null when it may not. */
  readonly config: Readonly<Record<string, unknown>> | null
  /** Whether this Incus renews by the share of the lifetime that has passed. */
  readonly renewsByShare: boolean
  /** Who was left behind with another certificate. */
  readonly drifted: readonly Drifted[]
  /** Which certificate the cluster had when, newest first. */
  readonly changes: readonly KeptChange[]
  readonly identity: { readonly certificate: string; readonly unrestricted: boolean } | null
  readonly findings: readonly Finding[]
}

export function clusterCertificate(facts: CertificateFacts): ClusterCertificate {
  const current = currentCertificate(facts)
  return {
    clustered: facts.clustered,
    certificate: knownCertificate(current),
    chain: (current?.chain ?? []).map(describeCertificate),
    trust: trustView(facts.anchor),
    renewal: current && renewalOf(facts, current.certificate),
    namesNeeded: neededNames(facts).map((needed) => {
      return { ...needed, covered: current !== null && covers(current.certificate, needed.name) }
    }),
    presented: facts.members.map((member) => presentedBy(member, current?.certificate ?? null, facts)),
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

/**
 * Whether a member still shows its certificate: one that starts, or hangs behind its TLS, does. Who is out is asked on new
 * connections alone, so a failure in waiting for the answer came after a handshake.
 */
export function makesHandshakes({ standing, failure }: Pick<Health, 'standing'> & MayHaveFailed): boolean {
  return standing !== 'ejected' || failure?.phase === 'answer'
}

interface MayHaveFailed {
  readonly failure: Pick<NonNullable<Health['failure']>, 'phase'> | null
}

/** Which names the certificate has to cover. */
export function neededNames(facts: Pick<CertificateFacts, 'anchor' | 'names' | 'members' | 'config'>): NeededName[] {
  const { anchor, names, members, config } = facts
  const oidc = typeof config?.['oidc.issuer'] === 'string' && config['oidc.issuer'] !== ''
  return namesNeeded({ anchor, access: names, members: members.map(({ known }) => known), oidc })
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
export function currentCertificate({
  members,
  announced,
}: Pick<CertificateFacts, 'members' | 'announced'>): Current | null {
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

function presentedBy(
  { known, health, presented }: CertificateFacts['members'][number],
  current: X509Certificate | null,
  { drifted, changes }: Pick<CertificateFacts, 'drifted' | 'changes'>,
): Presented {
  const verdict = presented && verdictBeside(presented, current)
  const last = {
    member: known.name,
    was: verdict,
    fingerprint: presented && fingerprintOf(presented.certificate),
    expiresAt: presented && instant(presented.certificate.validToDate.getTime()),
    seenAt: presented && instant(presented.seenAt),
  }
  if (!known.contacted) return { ...last, verdict: 'no-handshake', note: known.why }
  if (presented === null || verdict === null || !makesHandshakes(health)) {
    return { ...last, verdict: 'no-handshake', note: health.failure?.message ?? 'There was no handshake yet.' }
  }
  const drift = drifted.find(({ member }) => member === known.name)
  if (drift !== undefined) return { ...last, was: 'older', verdict: 'older', note: drift.reason }
  const former = verdict === 'unknown' ? describeFormer(fingerprintOf(presented.certificate), changes) : undefined
  const note = [former, notes[verdict]].filter((text) => text !== undefined && text !== null).join(' ')
  return { ...last, verdict, note: note === '' ? null : note }
}

/** A trusted certificate that is not the current one was replaced, or is about to take its place. */
function verdictBeside(
  { certificate, verdict }: LastPresented,
  current: X509Certificate | null,
): NonNullable<Presented['was']> {
  if (verdict === 'unknown' || verdict === 'expired') return verdict
  if (current === null || certificate.fingerprint256 === current.fingerprint256) return 'same'
  return certificate.validFromDate < current.validFromDate ? 'older' : 'next'
}

const notes: Readonly<Record<Presented['verdict'], string | null>> = {
  same: null,
  next: 'It presents the successor already.',
  older: 'It presents the one before.',
  expired: 'It has expired.',
  unknown: "It is not the cluster's now. Nothing is sent to this server.",
  'no-handshake': null,
}
