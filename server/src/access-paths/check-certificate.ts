// Where TLS ends on a path, and whether what is presented there is what clients need: pure.

import { isIP } from 'node:net'
import type { AccessPath, PathCheck } from '@malleus/shared/api/access-paths.ts'
import type { ConfiguredPath, PathEvidence, Visit } from './access-path.ts'
import { latestRounds } from './access-path.ts'
import { bad, good, info, warning } from './check-words.ts'

type TlsEnds = AccessPath['tlsEnds']

/**
 * At a server, where its certificate is presented and the console's own is recognised through it. Before it, where a
 * balancer with another certificate passes requests on to Incus, or the cluster's own certificate is presented by
 * somebody who does not pass the client's on.
 */
export function whereTlsEnds({ kind }: ConfiguredPath, evidence: PathEvidence): TlsEnds {
  if (kind === 'local' || kind === 'console') return 'unknown'
  const seen = latestRounds(evidence, 2).filter(({ certificate }) => certificate !== null)
  const own = seen.filter(({ certificate }) => certificate?.isCluster === true)
  if (own.length === 0) {
    return kind === 'load-balancer' && seen.some(({ incusBehind }) => incusBehind === true) ? 'before' : 'unknown'
  }
  const recognised = own.map(recognisedIn).filter((value) => value !== null)
  if (recognised.length === 0) return 'member'
  return recognised.some(Boolean) ? 'member' : 'before'
}

function recognisedIn({ end }: Visit): boolean | null {
  return end.kind === 'answered' ? end.recognised : null
}

export function checkCertificate(path: ConfiguredPath, evidence: PathEvidence, now: number): PathCheck[] {
  if (path.kind === 'local') return []
  const latest = latestRounds(evidence, 2).filter((visit) => visit.certificate !== null)
  const foreign = latest.filter((visit) => visit.certificate?.isCluster === false)
  const certificate = (foreign.at(-1) ?? latest.at(-1))?.certificate ?? null
  if (certificate === null) return []
  const days = Math.floor((certificate.expiresAt - now) / 86_400_000)
  const expiry =
    days < 0
      ? [bad('certificate-expired', 'The certificate on this path has expired', 'Replace it: most clients refuse it.')]
      : days < 14
        ? [warning('certificate-expiry', `The certificate on this path expires in ${days} days`, 'Replace it in time.')]
        : []
  if (path.kind === 'console') return [...expiry, nameCheck(path, certificate)]
  const ends = whereTlsEnds(path, evidence)
  if (ends === 'before') {
    return [
      ...expiry,
      info(
        'tls-ends',
        'TLS ends before the servers',
        'People who sign in with OpenID Connect come through; client certificates do not. Offer a path that passes TLS through to those who use them.',
      ),
      nameCheck(path, certificate),
    ]
  }
  if (!certificate.isCluster) {
    const where = [...new Set(foreign.map(({ address }) => address))]
    return [
      ...expiry,
      bad(
        'certificate',
        'What answers does not present the certificate of the cluster',
        `Seen at ${where.join(', ')} (${certificate.fingerprint.slice(0, 12)}…). Clients that know the cluster by its certificate refuse it. Nothing but the public question was sent to it.`,
      ),
    ]
  }
  return [...expiry, good('certificate', 'The certificate is the cluster’s'), nameCheck(path, certificate)]
}

function nameCheck(path: ConfiguredPath, { covers, names }: NonNullable<Visit['certificate']>): PathCheck {
  const name = hostOf(path)
  if (covers) return good('name', `The certificate covers ${name}`)
  const covered = names.length === 0 ? 'it covers no name' : `it covers ${names.slice(0, 4).join(', ')}`
  const fix = `Clients that check names refuse it; ${covered}. Replace the certificate by one with this name.`
  // Who uses an address has confirmed the fingerprint: Incus's own certificates cover none that is shared.
  if (isIP(name) !== 0 && path.kind !== 'console') {
    return info(
      'name',
      `The certificate does not cover ${name}`,
      `Clients go by the fingerprint that people confirmed; ${covered}.`,
    )
  }
  return path.kind === 'console'
    ? bad('name', `The certificate does not cover ${name}`, fix)
    : warning(
        'name',
        `The certificate does not cover ${name}`,
        `${fix} The incus command line goes on by the fingerprint it has confirmed.`,
      )
}

/** What clients enter. */
export function hostOf({ target, name }: ConfiguredPath): string {
  return target.kind === 'socket' ? name : target.endpoint.host
}
