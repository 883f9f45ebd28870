import type { KeyObject } from 'node:crypto'
import type { Attestation } from './attestation.ts'
import { attestationHash, isSignedBy, noAttestation, parseAttestation } from './attestation.ts'
import type { StoredAttestation } from './attestation-store.ts'
import { KnownHeads } from './checkpoints.ts'
import { EvidenceBook } from './evidence.ts'
import type { Tampering } from './verify.ts'

export interface AttestationBreach {
  readonly number: number
  readonly what: Tampering
  readonly message: string
}

export interface VerifiedAttestations {
  readonly count: number
  /** What they say of the records, as far as they hold. */
  readonly evidence: EvidenceBook
  readonly breach: AttestationBreach | null
}

/**
 * Checks what the console signed: each under its number, signed with this key, naming the one before, and with the root
 * of all heads named so far. `copies` are attestations that left the console, by their number: those must be here, and
 * the same.
 */
export function verifyAttestations(
  lines: readonly StoredAttestation[],
  key: KeyObject,
  copies: ReadonlyMap<number, string> = new Map(),
): VerifiedAttestations {
  const evidence = new EvidenceBook()
  const known = new KnownHeads()
  const texts = new Map(lines.map(({ number, text }) => [number, text]))
  let before: string | null = null
  let count = 0
  for (const { number, text } of lines) {
    const said = parseAttestation(text)
    const breach = wrong(said, { number, text }, count + 1, before, key, texts)
    if (breach !== undefined) return { count, evidence, breach }
    const copy = copies.get(number)
    if (copy !== undefined && copy !== text)
      return { count, evidence, breach: broken(number, 'changed', 'its copy says something else') }
    if (said?.kind === 'checkpoint') {
      known.take(said.heads)
      const { root, chains } = known.seal
      if (root !== said.root || chains !== said.chains) {
        return { count, evidence, breach: broken(number, 'changed', 'it does not have the root of all chains') }
      }
    }
    if (said !== undefined) evidence.take(said)
    before = text
    count += 1
  }
  const missing = [...copies.keys()].filter((number) => number > count).toSorted((a, b) => a - b)[0]
  if (missing === undefined) return { count, evidence, breach: null }
  return { count, evidence, breach: broken(count + 1, 'cut off', `a copy of attestation ${missing} exists`) }
}

function wrong(
  said: Attestation | undefined,
  { number, text }: StoredAttestation,
  expected: number,
  before: string | null,
  key: KeyObject,
  texts: ReadonlyMap<number, string>,
): AttestationBreach | undefined {
  if (number > expected) return broken(expected, 'dropped', `attestation ${number} stands in its place`)
  if (number < expected) return broken(number, 'inserted', `attestation ${expected} belongs in its place`)
  if (said === undefined || !isSignedBy(said, key)) {
    return broken(number, 'changed', said === undefined ? 'it cannot be read' : 'its signature is not of this key')
  }
  if (said.number !== number) {
    const isElsewhere = texts.get(said.number) === text
    return isElsewhere
      ? broken(number, 'inserted', `it says what attestation ${said.number} says`)
      : broken(number, 'reordered', `attestation ${said.number} stands in its place`)
  }
  const prev = before === null ? noAttestation : attestationHash(before)
  return said.prev === prev ? undefined : broken(number - 1, 'changed', `attestation ${number} names another`)
}

function broken(number: number, what: Tampering, why: string): AttestationBreach {
  return { number, what, message: `Attestation ${number} was ${what}: ${why}` }
}
