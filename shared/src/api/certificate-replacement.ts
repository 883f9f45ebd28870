import { z } from 'zod'
import { Certificate } from './certificate.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** One thing that was looked at before a certificate is sent to the cluster. */
export const CertificateCheck = z.object({
  id: z.enum([
    'readable',
    'key-matches',
    'usage',
    'dns-name',
    'chain',
    'dates',
    'key',
    'names',
    'console',
    'clients',
    'servers',
    'same',
  ]),
  verdict: z.enum(['can', 'can-but', 'cannot']),
  /** What it is, as a sentence; for the last two, why. */
  text: z.string(),
})
export type CertificateCheck = z.infer<typeof CertificateCheck>

/** A certificate as text: the certificate itself, those that signed it, in any order, and its private key. All PEM. */
const Given = z.strictObject({
  certificate: z.string().max(500_000),
  /** Empty where the console made the key, or where it is in the other text. Never kept, and never told again. */
  key: z.string().max(100_000).default(''),
})
export type GivenCertificate = z.input<typeof Given>

/** A key that waits in the console for its certificate. The key itself is never shown. */
export const PreparedKey = z.object({
  /** SHA-256 of the public key, lower-case hexadecimal. */
  id: z.string(),
  /** The request for a certificate, PEM. */
  request: z.string(),
  subject: z.string(),
  names: z.array(z.string()),
  key: z.string(),
  madeAt: Instant,
  /** When it is deleted, if no certificate came for it. */
  until: Instant,
})
export type PreparedKey = z.infer<typeof PreparedKey>

export const ReplacementRow = z.object({
  member: z.string(),
  /** What it presented in the last handshake; null where there was none. */
  fingerprint: z.string().nullable(),
  seenAt: Instant.nullable(),
  /**
   * `new`, `old` and `other`: what it presents. `silent`: it makes no handshake; it may have either.
   */
  presents: z.enum(['new', 'old', 'other', 'silent']),
  /** When it first presented the new one. */
  adoptedAt: Instant.nullable(),
  /** In words, where something is wrong. */
  note: z.string().nullable(),
})
export type ReplacementRow = z.infer<typeof ReplacementRow>

/** A replacement of the cluster's certificate: what was asked, what Incus said, and what its servers present. */
export const Replacement = z.object({
  id: z.string(),
  startedAt: Instant,
  /** Name of who asked. */
  by: z.string(),
  certificate: Certificate,
  /** Fingerprint of the one before; null where it was not known. */
  before: z.string().nullable(),
  answer: z.discriminatedUnion('kind', [
    /** It is being asked. */
    z.object({ kind: z.literal('waiting') }),
    z.object({ kind: z.literal('taken'), at: Instant, via: z.string() }),
    /** Incus says that it did not do it, or nothing was sent. */
    z.object({ kind: z.literal('refused'), at: Instant, message: z.string() }),
    /** It was sent and not answered: what servers present decides. */
    z.object({ kind: z.literal('none'), at: Instant, message: z.string() }),
  ]),
  rows: z.array(ReplacementRow),
  /** `done`: every server presents it. `not-done`: none does. `in-part`: some do. Null while that is not decided. */
  verdict: z.enum(['done', 'not-done', 'in-part']).nullable(),
  endedAt: Instant.nullable(),
  /** The verdict, or what is waited for, as a sentence. */
  sentence: z.string(),
  /** What can be done about it here: the console still has the key in memory. */
  offers: z.array(z.enum(['push-again', 'push-old-back'])),
  /** For a cluster that takes nothing over its network any more: what to run on each server. Empty when all is well. */
  repair: z.array(z.object({ members: z.array(z.string()), command: z.string() })),
})
export type Replacement = z.infer<typeof Replacement>

export const checkCertificate = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/certificate/check',
  summary: 'What would become of a replacement of the cluster certificate. Changes nothing, and keeps nothing of it.',
  body: Given,
  reply: z.object({
    /** Null where the text cannot be read. */
    certificate: Certificate.nullable(),
    chain: z.array(Certificate),
    /** Where the private key is: in what was given, in the console, which made it, or nowhere. */
    key: z.enum(['given', 'prepared', 'missing']),
    checks: z.array(CertificateCheck),
  }),
})

export const replaceCertificate = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/certificate/replacements',
  summary: 'Replaces the certificate of the cluster, once, and watches every server take it.',
  body: z.discriminatedUnion('what', [
    Given.extend({ what: z.literal('given') }),
    /** The one that was sent last, once more, or the one before it: only while the console still has its key. */
    z.strictObject({ what: z.enum(['again', 'old-back']) }),
  ]),
  reply: z.object({ replacement: Replacement }),
})

export const getReplacement = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/certificate/replacement',
  summary: 'The latest replacement of the cluster certificate, and keys that wait for their certificate.',
  reply: z.object({ latest: Replacement.nullable(), prepared: z.array(PreparedKey) }),
})

export const prepareKey = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/certificate/keys',
  summary: 'Makes a private key in the console and a request for its certificate; the key never leaves it.',
  body: z.strictObject({
    subject: z.string().trim().min(1).max(64),
    /** DNS names and addresses. */
    names: z.array(z.string().trim().min(1).max(253)).min(1).max(100),
    curve: z.enum(['P-256', 'P-384']).default('P-384'),
  }),
  reply: z.object({ prepared: PreparedKey }),
})

export const discardKey = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/certificate/keys/:key/discard',
  summary: 'Deletes a key that waits for its certificate.',
  body: z.strictObject({}),
  reply: z.object({ prepared: z.array(PreparedKey) }),
})

export const changePins = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/certificate/pins',
  summary: 'Says by which fingerprints this console recognises the cluster.',
  body: z.discriminatedUnion('change', [
    /** Accept one more certificate, as the successor. */
    z.strictObject({ change: z.literal('set-next'), fingerprint: z.string().max(200) }),
    /** Accept the successor no longer. */
    z.strictObject({ change: z.literal('drop-next') }),
    /** The successor is the current one from now on, and the one before is refused. */
    z.strictObject({ change: z.literal('drop-current') }),
  ]),
  reply: z.object({
    pins: z.array(z.object({ fingerprint: z.string(), position: z.enum(['current', 'next']), from: z.string() })),
  }),
})
