/**
 * What the console says of its own history under its signature, so that somebody who can write the database but has not
 * the key file is found: a *checkpoint* names the last record of every chain, a *tombstone* what was pruned. They are one
 * sequence, numbered and chained by hashes; copies leave through the sinks, and a history that was cut off behind the
 * last copy, or written anew as a whole, does not agree with them.
 */
import { createHash, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Instant } from '@malleus/shared/api/freshness.ts'
import { z } from 'zod'
import type { ChainHead } from './audit-store.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Json } from './canonical-json.ts'

const Head = z.object({ chain: z.string(), seq: z.int().min(0), hash: z.string() })

/** Records `from` to `to` of a chain are gone; `hash` is that of the last of them, which the record behind it names. */
const Run = z.object({ chain: z.string(), from: z.int().min(0), to: z.int().min(0), hash: z.string() })
export type PrunedRun = z.infer<typeof Run>

const place = {
  v: z.literal(1),
  /** From 1, without gaps. */
  number: z.int().min(1),
  at: Instant,
  /** SHA-256 of the attestation before. */
  prev: z.string(),
  /** By which key it was signed: the beginning of the SHA-256 of the public key. */
  key: z.string(),
}

const signature = { signature: z.string() }

const Checkpoint = z.object({
  kind: z.literal('checkpoint'),
  ...place,
  /** The heads that are others than in the checkpoint before. A chain's leaf is the place of its first mention. */
  heads: z.array(Head),
  /** Of all chains, those that are not in `heads` too. */
  chains: z.int().min(0),
  /** Merkle root over the heads of all chains. */
  root: z.string(),
  ...signature,
})
export type Checkpoint = z.infer<typeof Checkpoint>

const Tombstone = z.object({
  kind: z.literal('tombstone'),
  ...place,
  /** What was pruned: records from before this instant, of one source or of all. */
  before: Instant,
  source: z.string().nullable(),
  count: z.int().min(1),
  runs: z.array(Run),
  ...signature,
})
export type Tombstone = z.infer<typeof Tombstone>

export const Attestation = z.discriminatedUnion('kind', [Checkpoint, Tombstone])
export type Attestation = z.infer<typeof Attestation>

type Placed = 'v' | 'number' | 'at' | 'prev' | 'key' | 'signature'
/** What is to be attested, before it has its place and signature. */
export type Claim = Omit<Checkpoint, Placed> | Omit<Tombstone, Placed>

/** `prev` of the first. */
export const noAttestation = '0'.repeat(64)

/** Gives a claim its place behind another and signs it; the text, one line, is what is kept and sent. */
export function attest(
  claim: Claim,
  before: { readonly number: number; readonly text: string } | null,
  at: string,
  signing: KeyObject,
): { readonly number: number; readonly text: string } {
  const number = (before?.number ?? 0) + 1
  const prev = before === null ? noAttestation : attestationHash(before.text)
  const unsigned = { v: 1, number, at, prev, key: keyId(signing), ...claim }
  return { number, text: canonicalJson({ ...unsigned, signature: signed(unsigned, signing) }) }
}

/** Undefined when the line is no attestation in canonical form. */
export function parseAttestation(line: string): Attestation | undefined {
  try {
    const parsed = Attestation.safeParse(JSON.parse(line))
    return parsed.success && canonicalJson(parsed.data) === line ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Whether it was signed with this key and is as it was then. */
export function isSignedBy(said: { readonly signature: string } & { [key: string]: Json }, key: KeyObject): boolean {
  const { signature: given, ...unsigned } = said
  return verify(null, Buffer.from(canonicalJson(unsigned)), publicKeyOf(key), Buffer.from(given, 'base64url'))
}

/** Ed25519 over the canonical form (RFC 8785), in base64url. */
export function signed(said: Json, signing: KeyObject): string {
  return sign(null, Buffer.from(canonicalJson(said)), signing).toString('base64url')
}

export function attestationHash(line: string): string {
  return createHash('sha256').update(line).digest('hex')
}

/** The first 16 digits of the SHA-256 of a public key, by which people can tell keys apart. */
export function keyId(key: KeyObject): string {
  const spki = publicKeyOf(key).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}

/** What a chain's head contributes to the Merkle root. */
export function leafOf({ chain, seq, hash }: ChainHead): string {
  return canonicalJson({ chain, seq, hash })
}

function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key
}
