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

export const PresentedByMember = z.object({
  member: z.string(),
  verdict: z.enum(['same', 'older', 'next', 'unknown', 'expired', 'no-handshake']),
  /** The last one seen, however long ago; null if there never was a handshake. */
  fingerprint: z.string().nullable(),
  expiresAt: Instant.nullable(),
  seenAt: Instant.nullable(),
  /** In words, where something is wrong. */
  note: z.string().nullable(),
})

export const ClusterCertificate = z.object({
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
  /** Names people and servers use, whether the certificate covers them, and who uses them. */
  namesNeeded: z.array(z.object({ name: z.string(), usedFor: z.string(), covered: z.boolean() })),
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
