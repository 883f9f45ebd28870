/** What the cluster's trust store says, with what is wrong with it. Nothing here asks anybody. */
import { X509Certificate } from 'node:crypto'
import type { Certificate } from '@malleus/shared/api/certificate.ts'
import type { Finding } from '@malleus/shared/api/finding.ts'
import type { LastUse, TrustCertificate, TrustEntry } from '@malleus/shared/api/trust.ts'
import type { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { LRUCache } from 'lru-cache'

export interface EntryFacts {
  /** SHA-256 of the certificate with which this console is known; null where it has none. */
  readonly own: string | null
  /** The projects that may be seen, where the console and not Incus has to see to that. */
  readonly projects: 'all' | readonly string[]
  readonly describe: Describe
  /** When somebody with that certificate was last seen; null where nobody was, or may not be told. */
  readonly lastUse: (fingerprint: string) => LastUse | null
  /** Wall clock, milliseconds. */
  readonly now: number
}

/** How a certificate is read for people. */
export type Describe = (certificate: X509Certificate) => Certificate

const dayMs = 86_400_000

/** The entries that may be seen, by name, each with what an administrator should know of it. */
export function trustEntries(entries: readonly IncusTrustEntry[], facts: EntryFacts): TrustEntry[] {
  const read = entries.filter((entry) => isVisible(entry, facts.projects)).map((entry) => parsed(entry, facts.describe))
  const names = grouped(read, ({ entry }) => entry.name || null)
  const keys = grouped(read, ({ certificate }) => certificate?.spki ?? null)
  return read
    .map(({ entry, certificate }): TrustEntry => {
      const type = typeOf(entry.type)
      const twins = (others: readonly Parsed[] | undefined) =>
        (others ?? []).filter((other) => other.entry.fingerprint !== entry.fingerprint)
      return {
        fingerprint: entry.fingerprint,
        name: entry.name ?? '',
        type,
        restricted: entry.restricted ?? false,
        projects: shown(entry.projects, facts.projects),
        description: entry.description ?? '',
        certificate: certificate && certificate.view,
        isConsole: entry.fingerprint === facts.own,
        lastUse: facts.lastUse(entry.fingerprint),
        findings: [
          ...certificateFindings(certificate, facts.now),
          ...sameKey(twins(keys.get(certificate?.spki ?? ''))),
          // Members carry the name of their machine, and nobody gives it to them.
          ...(type === 'server' ? [] : sameName(twins(names.get(entry.name ?? '')))),
          ...(entry.restricted === true && entry.projects.length === 0 ? [nowhere] : []),
        ],
      }
    })
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

/** In certificate mode people with some projects see who may do something in these, and not who works elsewhere. */
function isVisible(entry: IncusTrustEntry, projects: 'all' | readonly string[]): boolean {
  if (projects === 'all' || entry.restricted !== true) return true
  return entry.projects.some((project) => projects.includes(project))
}

function shown(projects: readonly string[], visible: 'all' | readonly string[]): string[] {
  return projects.filter((project) => visible === 'all' || visible.includes(project))
}

interface Parsed {
  readonly entry: IncusTrustEntry
  readonly certificate: ParsedCertificate | null
}

interface ParsedCertificate {
  readonly view: TrustCertificate
  /** The public key: who has one key in two entries is one client twice. */
  readonly spki: string
  readonly keyType: string
  readonly bits: number | null
}

// A trust store of thousands is read again and again, and its certificates never change.
const known = new LRUCache<string, ParsedCertificate>({ max: 5_000 })

function parsed(entry: IncusTrustEntry, describe: Describe): Parsed {
  const pem = entry.certificate ?? ''
  const before = known.get(pem)
  if (before !== undefined) return { entry, certificate: before }
  try {
    const certificate = read(new X509Certificate(pem), describe)
    known.set(pem, certificate)
    return { entry, certificate }
  } catch {
    return { entry, certificate: null }
  }
}

function read(certificate: X509Certificate, describe: Describe): ParsedCertificate {
  const { subject, issuer, selfSigned, key, validFromAt, expiresAt } = describe(certificate)
  const { publicKey } = certificate
  return {
    view: {
      subject,
      issuer,
      selfSigned,
      key,
      signature: certificate.signatureAlgorithm ?? '',
      validFromAt,
      expiresAt,
    },
    spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    keyType: publicKey.asymmetricKeyType ?? '',
    bits: publicKey.asymmetricKeyDetails?.modulusLength ?? null,
  }
}

function certificateFindings(certificate: ParsedCertificate | null, now: number): Finding[] {
  if (certificate === null) {
    return [{ severity: 'bad', code: 'unreadable', text: 'What the cluster keeps of it is no certificate.' }]
  }
  return [...expiry(certificate.view, now), ...weakness(certificate)]
}

/** Incus refuses a client whose certificate has expired (incus `internal/server/util/tls.go`, `CheckTrustState`). */
function expiry({ validFromAt, expiresAt }: TrustCertificate, now: number): Finding[] {
  const days = Math.floor((Date.parse(expiresAt) - now) / dayMs)
  if (days < 0) return [{ severity: 'bad', code: 'expired', text: 'It has expired, so Incus refuses it.' }]
  if (Date.parse(validFromAt) > now) {
    return [{ severity: 'warning', code: 'not_yet_valid', text: 'It is not valid yet, so Incus refuses it.' }]
  }
  if (days >= 30) return []
  const text = days === 0 ? 'It expires within a day.' : `It expires in ${days === 1 ? '1 day' : `${days} days`}.`
  return [{ severity: days < 7 ? 'bad' : 'warning', code: 'expires', text }]
}

/** Below what NIST SP 800-57 calls 112 bits of strength (part 1, table 2), and hashes in which collisions are found. */
function weakness({ view, keyType, bits }: ParsedCertificate): Finding[] {
  const isWeakKey = keyType === 'dsa' || (keyType.startsWith('rsa') && bits !== null && bits < 2048)
  const isWeakSignature = /md[245]|sha-?1(?!\d)/i.test(view.signature)
  return [
    ...(isWeakKey
      ? [{ severity: 'bad', code: 'weak_key', text: `Its key is weak: ${view.key || keyType}.` } as const]
      : []),
    ...(isWeakSignature
      ? [{ severity: 'warning', code: 'weak_signature', text: `It is signed with ${view.signature}.` } as const]
      : []),
  ]
}

function sameKey([twin]: readonly Parsed[]): Finding[] {
  if (twin === undefined) return []
  const text = `It has the key of another entry, ${calledIn(twin)}.`
  return [{ severity: 'warning', code: 'same_key', text }]
}

function sameName([twin, ...others]: readonly Parsed[]): Finding[] {
  if (twin === undefined) return []
  const text = others.length === 0 ? 'Another entry has its name.' : `${others.length + 1} other entries have its name.`
  return [{ severity: 'info', code: 'same_name', text }]
}

const nowhere: Finding = {
  severity: 'info',
  code: 'restricted_nowhere',
  text: 'It is restricted to no project at all, so there is nothing it may do.',
}

function calledIn({ entry }: Parsed): string {
  return entry.name || `${entry.fingerprint.slice(0, 12)}…`
}

function typeOf(type: string | null | undefined): TrustEntry['type'] {
  return type === 'client' || type === 'metrics' || type === 'server' ? type : 'other'
}

function grouped(entries: readonly Parsed[], by: (entry: Parsed) => string | null): ReadonlyMap<string, Parsed[]> {
  const groups = new Map<string, Parsed[]>()
  for (const entry of entries) {
    const key = by(entry)
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  return groups
}
