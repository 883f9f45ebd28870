import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Finding } from './finding.ts'
import { Instant, known } from './freshness.ts'

/** A parsed X.509 certificate. Fingerprints are SHA-256 of the DER form, lower-case hexadecimal. */
export const Certificate = z.object({
  subject: z.string(),
  issuer: z.string(),
  selfSigned: z.boolean(),
  /** Names and addresses it covers, e.g. `incus.example.net`, `10.20.0.11`. */
  names: z.array(z.string()),
  validFromAt: Instant,
  expiresAt: Instant,
  fingerprint: z.string(),
  /** As people say it: `ECDSA P-384`, `RSA 2048`, `Ed25519`. */
  key: z.string(),
  serial: z.string(),
  pem: z.string(),
})
export type Certificate = z.infer<typeof Certificate>

const shown = ['same', 'older', 'next', 'unknown', 'expired'] as const

export const PresentedByMember = z.object({
  member: z.string(),
  verdict: z.enum([...shown, 'no-handshake']),
  /** What it was in the last handshake, where there is none now; null if there never was one. */
  was: z.enum(shown).nullable(),
  /** The last one seen, however long ago; null if there never was a handshake. */
  fingerprint: z.string().nullable(),
  expiresAt: Instant.nullable(),
  seenAt: Instant.nullable(),
  /** In words, where something is wrong. */
  note: z.string().nullable(),
})

export const ClusterCertificate = z.object({
  /** False for a single server, whose certificate Incus does not replace; null while that is not known. */
  clustered: z.boolean().nullable(),
  certificate: known(Certificate),
  /** The certificates that signed it, nearest first, as presented. */
  chain: z.array(Certificate),
  /** How the console knows that it talks to this cluster. */
  trust: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('fingerprints'),
      pins: z.array(z.object({ fingerprint: z.string(), position: z.enum(['current', 'next']), from: z.string() })),
    }),
    z.object({ kind: z.literal('ca'), subject: z.string(), expiresAt: Instant, serverName: z.string() }),
  ]),
  /** When Incus renews it by itself, and how; null where it does not. */
  renewal: z.object({ at: Instant, how: z.string() }).nullable(),
  /** Names people and servers use, whether the certificate covers them, who uses them, and what breaks if it does not. */
  namesNeeded: z.array(z.object({ name: z.string(), usedFor: z.string(), breaks: z.string(), covered: z.boolean() })),
  presented: z.array(PresentedByMember),
  /** The certificate with which the console itself is known to the cluster. */
  identity: z.object({ certificate: Certificate, unrestricted: z.boolean() }).nullable(),
  findings: z.array(Finding),
})
export type ClusterCertificate = z.infer<typeof ClusterCertificate>

export const getCertificate = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/certificate',
  summary: 'The cluster certificate, how the console trusts it, and what each server presents.',
  reply: ClusterCertificate,
})
