/**
 * What would become of a replacement of the cluster's certificate, line by line, before anything is sent. Pure.
 *
 * Incus itself checks almost nothing. 6.0.4 takes a certificate that has expired, one that is not for servers, and one
 * whose only name is one address, and then its members refuse each other: they verify the cluster's certificate as a
 * root of its own, under its first DNS name (incus `shared/tls/tls.go`, `InitTLSConfig` and `GetTLSConfigMem`). Such a
 * cluster takes no other certificate through its API any more, so here these are refused whatever the version.
 */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { CertificateCheck } from '@malleus/shared/api/certificate-replacement.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import type { TrustAnchor } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import { listNames } from './list-names.ts'
import type { NeededName } from './names-needed.ts'
import { covers, describeCertificate } from './parse-certificate.ts'
import type { CertificateBundle } from './read-bundle.ts'
import { isSelfIssued, isSignedBy, samePublicKey } from './read-bundle.ts'

export interface PreflightFacts {
  readonly bundle: Pick<CertificateBundle, 'leaf' | 'chain' | 'strangers' | 'inOrder'>
  /** Whether the private key is there, and whether it belongs to the certificate. */
  readonly key: 'matches' | 'differs' | 'missing'
  /** The certificate that the cluster has now; null while it is not known. */
  readonly current: X509Certificate | null
  /** Certificates of authorities that everybody trusts. */
  readonly publicRoots: readonly X509Certificate[]
  readonly anchor: TrustAnchor
  /** The authorities of the anchor, where it is by authority. */
  readonly authorities: readonly X509Certificate[]
  readonly needed: readonly NeededName[]
  readonly cluster: ClusterFacts
  /** Wall clock. */
  readonly now: number
}

export interface ClusterFacts {
  /** Null while it is not known. */
  readonly clustered: boolean | null
  /** E.g. `6.0.4`; null while it is not known. */
  readonly version: string | null
  /** Whether this Incus replaces the certificate although a member is offline, when the key stays the same. */
  readonly leavesBehind: boolean
  readonly databaseAvailable: boolean | null
  readonly members: readonly MemberFacts[]
}

export interface MemberFacts {
  readonly name: string
  readonly host: string
  readonly standing: Standing
  readonly symptom: Symptom | null
  /** What the cluster calls it; null where it cannot be read. */
  readonly reported: string | null
}

export function preflight(facts: PreflightFacts): CertificateCheck[] {
  return [
    keyMatches(facts),
    usage(facts),
    dnsName(facts),
    ...chain(facts),
    ...dates(facts),
    keyKind(facts),
    ...names(facts),
    thisConsole(facts),
    clients(facts),
    ...servers(facts),
  ]
}

/** Whether anything forbids it. */
export function isRefused(checks: readonly CertificateCheck[]): boolean {
  return checks.some(({ verdict }) => verdict === 'cannot')
}

function keyMatches({ key }: PreflightFacts): CertificateCheck {
  switch (key) {
    case 'matches':
      return can('key-matches', 'The private key belongs to the certificate.')
    case 'differs':
      return cannot('key-matches', 'The private key belongs to another certificate.')
    case 'missing':
      return cannot('key-matches', 'Its private key is missing, and none that waits in this console belongs to it.')
  }
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'

function usage({ bundle: { leaf } }: PreflightFacts): CertificateCheck {
  // Node calls the extended key usages so. None at all means any (RFC 5280, 4.2.1.12).
  const usages: readonly string[] | undefined = leaf.keyUsage
  if (usages === undefined) return can('usage', 'It says nothing of what it is for, so it may be used by servers.')
  if (usages.includes(SERVER_AUTH) || usages.includes(ANY_USAGE)) return can('usage', 'It may be used by servers.')
  return cannot(
    'usage',
    'It is not for servers: serverAuth is missing in its extended key usage. Clients refuse such a certificate, and Incus 6.0.4 takes it and loses its members.',
  )
}

function dnsName({ bundle: { leaf }, cluster: { members } }: PreflightFacts): CertificateCheck {
  const covered = describeCertificate(leaf).names
  const dns = covered.filter((name) => isIP(name) === 0)
  if (dns.length > 0) return can('dns-name', `It names ${listNames(dns)}.`)
  if (members.length > 0 && members.every(({ host }) => covers(leaf, host))) {
    return canBut(
      'dns-name',
      'It has no DNS name, only addresses. That works while it covers every server; one that joins under another address is lost.',
    )
  }
  return cannot('dns-name', 'It has no DNS name. Incus 6.0.4 takes it, and its servers refuse each other from then on.')
}

function chain({ bundle, publicRoots, authorities }: PreflightFacts): CertificateCheck[] {
  const { leaf, chain: signers, strangers, inOrder } = bundle
  const last = signers.at(-1) ?? leaf
  const checks: CertificateCheck[] = []
  const sorted = inOrder ? '' : ' They are put in order.'
  if (isSelfIssued(leaf)) {
    checks.push(canBut('chain', 'It is signed by itself: clients know it by its fingerprint, and browsers warn of it.'))
  } else if (isSelfIssued(last)) {
    checks.push(can('chain', `The chain is complete, up to ${nameOf(last)}, which is not sent along.${sorted}`))
  } else if ([...publicRoots, ...authorities].some((root) => isSignedBy(last, root))) {
    checks.push(can('chain', `The chain is complete, up to ${issuerOf(last)}.${sorted}`))
  } else {
    checks.push(
      canBut(
        'chain',
        `The chain ends at ${issuerOf(last)}, which is not in it: only clients that have that certificate themselves can verify it.${sorted}`,
      ),
    )
  }
  if (strangers.length > 0) {
    checks.push(canBut('chain', `${listNames(strangers.map(nameOf))} did not sign it, and is left out.`))
  }
  return checks
}

const DAY_MS = 86_400_000

function dates({ bundle: { leaf, chain: signers }, current, now }: PreflightFacts): CertificateCheck[] {
  const days = (ms: number): string => {
    const count = Math.floor(ms / DAY_MS)
    return count === 1 ? '1 day' : `${count} days`
  }
  const from = leaf.validFromDate.getTime()
  const until = leaf.validToDate.getTime()
  if (until <= now) {
    const reason = 'Clients refuse it, and Incus 6.0.4 takes it and loses its members'
    return [cannot('dates', `It has expired ${days(now - until)} ago. ${reason}.`)]
  }
  if (from > now) return [cannot('dates', `It is not valid before ${dayOf(from)}.`)]
  const old = signers.find(({ validToDate }) => validToDate.getTime() <= now)
  if (old !== undefined) return [cannot('dates', `${nameOf(old)}, which signed it, has expired: clients refuse it.`)]
  const sooner = signers.find(({ validToDate }) => validToDate.getTime() < until)
  if (sooner !== undefined) {
    const last = dayOf(sooner.validToDate.getTime())
    return [canBut('dates', `${nameOf(sooner)}, which signed it, expires before it does, on ${last}.`)]
  }
  if (until - now < 30 * DAY_MS) return [canBut('dates', `It expires in ${days(until - now)}.`)]
  if (current !== null && until < current.validToDate.getTime() && current.validToDate.getTime() > now) {
    return [canBut('dates', `It expires on ${dayOf(until)}, before the present one does.`)]
  }
  return [can('dates', `It is valid until ${dayOf(until)}.`)]
}

/** What browsers and Go take (Go `crypto/tls`; CA/Browser Forum baseline requirements, 6.1.5). */
function keyKind({ bundle: { leaf } }: PreflightFacts): CertificateCheck {
  const { publicKey } = leaf
  const { key } = describeCertificate(leaf)
  const { namedCurve, modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'ec':
      return namedCurve === 'prime256v1' || namedCurve === 'secp384r1' || namedCurve === 'secp521r1'
        ? can('key', `Its key is ${key}.`)
        : cannot('key', `Its key is ${key}, a curve that neither Incus nor browsers know.`)
    case 'rsa':
      if (modulusLength < 2048) return cannot('key', `Its key is ${key}, which is too short: 2048 bits are the least.`)
      if (modulusLength > 4096) return canBut('key', `Its key is ${key}: each handshake takes long.`)
      return can('key', `Its key is ${key}.`)
    case 'ed25519':
      return canBut('key', 'Its key is Ed25519: Incus takes it, and most browsers do not.')
    default:
      return cannot('key', `Its key is ${key}, which Incus cannot use for TLS.`)
  }
}

function names({ bundle: { leaf }, needed }: PreflightFacts): CertificateCheck[] {
  const missing = needed.filter(({ name }) => !covers(leaf, name))
  if (missing.length === 0) {
    return needed.length === 0 ? [] : [can('names', 'It covers every name and address that is in use.')]
  }
  return missing.map(({ name, usedFor, breaks }) =>
    canBut('names', `It does not cover ${name}, for ${usedFor}. ${breaks}`),
  )
}

function thisConsole({ anchor, authorities, bundle: { leaf, chain: signers } }: PreflightFacts): CertificateCheck {
  if (anchor.kind === 'fingerprints') {
    return can(
      'console',
      'This console accepts it before it is sent, beside the present one, which it refuses as soon as every server has moved.',
    )
  }
  const last = signers.find(isSelfIssued)
    ? (signers.filter((each) => !isSelfIssued(each)).at(-1) ?? leaf)
    : (signers.at(-1) ?? leaf)
  const vouched = authorities.some((authority) => isSignedBy(last, authority))
  if (!vouched) {
    return cannot(
      'console',
      `This console recognises the cluster by the authority ${listNames(authorities.map(nameOf))}, which did not sign it: it would refuse every server.`,
    )
  }
  if (!covers(leaf, anchor.serverName)) {
    return cannot('console', `This console checks the name ${anchor.serverName}, which it does not cover.`)
  }
  return can('console', 'This console recognises it by its authority and name.')
}

function clients({ bundle: { leaf }, current }: PreflightFacts): CertificateCheck {
  if (current !== null && fingerprintOf(current) === fingerprintOf(leaf)) {
    return canBut('same', 'It is the one that the cluster has already.')
  }
  return canBut(
    'clients',
    'Clients and incus remotes that know the cluster by its present fingerprint refuse the new one, or ask again, until they are told: "incus remote remove" and "incus remote add".',
  )
}

function servers({ cluster, current, bundle: { leaf } }: PreflightFacts): CertificateCheck[] {
  const incus = cluster.version === null ? 'Incus' : `Incus ${cluster.version}`
  if (cluster.clustered === false) {
    return [cannot('servers', 'This server is not clustered: Incus replaces only the certificate of a cluster.')]
  }
  if (cluster.databaseAvailable === false) {
    return [cannot('servers', 'The cluster database does not answer, so Incus would not answer either.')]
  }
  const sameKey = current !== null && samePublicKey(current.publicKey, leaf.publicKey)
  const found = cluster.members.flatMap((member) => memberCheck(member, incus, cluster.leavesBehind, sameKey))
  if (found.length > 0) return found
  const all = cluster.members.length === 1 ? 'The server answers' : `All ${cluster.members.length} servers answer`
  return [can('servers', `${all}, and each takes it at once, without a restart and without ending a connection.`)]
}

/** Measured with 6.0.4 and 7.0.2, and read from incus `cmd/incusd/api_cluster.go`, `updateClusterCertificate`. */
function memberCheck(
  { name, standing, symptom, reported }: MemberFacts,
  incus: string,
  leavesBehind: boolean,
  sameKey: boolean,
): CertificateCheck[] {
  if (reported === 'Offline') {
    if (leavesBehind && sameKey) {
      return [
        canBut(
          'servers',
          `${name} is offline: ${incus} leaves it behind, and gives it the new certificate when it returns. Look at it then.`,
        ),
      ]
    }
    return [
      cannot(
        'servers',
        leavesBehind
          ? `${name} is offline: ${incus} refuses a certificate with a new key until it is back.`
          : `${name} is offline: ${incus} refuses, and puts back what the others took. It has to be back, or removed, first.`,
      ),
    ]
  }
  switch (standing) {
    case 'ejected':
      return [
        symptom === 'refusing' || symptom === 'starting'
          ? cannot(
              'servers',
              `${name} refuses connections: ${incus} would fail there, and put back what the others took.`,
            )
          : cannot(
              'servers',
              `${name} does not answer, and the cluster counts on it still: ${incus} would wait for it, and nobody could say what becomes of it.`,
            ),
      ]
    case 'suspect':
      return symptom === null || symptom === 'slow'
        ? [canBut('servers', `${name} answers late at this moment.`)]
        : [canBut('servers', `${name} may not answer at this moment: ${incus} would put back what the others took.`)]
    case 'untrusted':
      return [
        canBut('servers', `${name} presents a certificate that is not the cluster's: the others may not reach it.`),
      ]
    case 'unknown':
      return [canBut('servers', `Nothing is known of ${name} yet.`)]
    case 'healthy':
    case 'probation':
    case 'degraded':
      return []
  }
}

function nameOf(certificate: X509Certificate): string {
  return commonName(describeCertificate(certificate).subject)
}

function issuerOf(certificate: X509Certificate): string {
  return commonName(describeCertificate(certificate).issuer)
}

/** People know an authority by its common name. */
function commonName(name: string): string {
  return /(?:^|, )CN=([^,]+)/.exec(name)?.[1] ?? name
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function can(id: CertificateCheck['id'], text: string): CertificateCheck {
  return { id, verdict: 'can', text }
}
function canBut(id: CertificateCheck['id'], text: string): CertificateCheck {
  return { id, verdict: 'can-but', text }
}
function cannot(id: CertificateCheck['id'], text: string): CertificateCheck {
  return { id, verdict: 'cannot', text }
}
