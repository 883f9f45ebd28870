import type { KeyObject } from 'node:crypto'
import type { AttestationStore, StoredAttestation } from './attestation-store.ts'
import type { AuditStore, ChainHead, StoredLine } from './audit-store.ts'
import { nameBreach } from './name-breach.ts'
import { verifyAttestations } from './verify-attestations.ts'
import { beginVerification, verifyEnd, verifyHead, verifyLines } from './verify.ts'
import type { Tampering } from './verify.ts'

export interface HistoryQuestion {
  readonly records: Pick<AuditStore, 'after' | 'ofChain'>
  readonly attestations: Pick<AttestationStore, 'after'>
  readonly key: KeyObject
  /** The last record that this start has written, where there is one. */
  readonly head?: ChainHead
  /** What left the console, to hold the history against. */
  readonly copies?: Copies
  /** Records that are read at once. Default 5000. */
  readonly page?: number
  /** Called between pages; the next is read when it resolves. True ends it early, without a finding. */
  readonly between?: (records: number) => Promise<boolean> | boolean
}

/** Attestations by their number and hashes of records, as they were when they left the console. */
export interface Copies {
  readonly attestations: ReadonlyMap<number, string>
  readonly records: readonly ChainHead[]
}

export interface HistoryFinding {
  readonly records: number
  readonly attestations: number
  /** Null when all of it is what was written. */
  readonly breach: {
    readonly what: Tampering
    /** A sentence that names the record or the attestation, and says what was done to it. */
    readonly message: string
    /** Either a record, by its chain and place there, … */
    readonly chain?: string
    readonly seq?: number
    /** … one of those from `seq` to this, … */
    readonly upTo?: number
    /** … or an attestation. */
    readonly number?: number
  } | null
}

const ATTESTATIONS_PAGE = 2000

/** Checks a whole history: what was signed first, then every record from the first on. In pages, in constant memory. */
export async function verifyHistory(question: HistoryQuestion): Promise<HistoryFinding> {
  const { records, key, head, copies, page = 5000, between } = question
  const signed = verifyAttestations(await allAttestations(question), key, copies?.attestations)
  const { evidence } = signed
  // The copies of a history that was cut off say more of it than is left in it.
  const copied = verifyAttestations(inOrder(copies?.attestations), key)
  if (copied.breach === null && copied.count > signed.count) {
    for (const [chain, { last }] of copied.evidence.chains) {
      if (last !== undefined) evidence.takeHead(chain, last.seq, last.hash)
    }
  }
  for (const { chain, seq, hash } of copies?.records ?? []) evidence.takeHead(chain, seq, hash)

  let found = beginVerification(evidence)
  let next = records.after(0, page)
  let isAborted = false
  for (;;) {
    const lines = await next
    // The disk reads on while these are checked.
    const more = lines.length === page ? records.after(lines.at(-1)?.position ?? 0, page) : undefined
    found = verifyLines(found, lines)
    if (more === undefined || found.breach !== null) {
      await more?.catch(() => undefined)
      break
    }
    isAborted = (await between?.(found.records)) === true
    if (isAborted) {
      await more.catch(() => undefined)
      break
    }
    next = more
  }
  if (isAborted) return { records: found.records, attestations: signed.count, breach: null }
  if (head !== undefined) found = verifyHead(found, head)
  found = verifyEnd(found)
  const sums = { records: found.records, attestations: signed.count }
  if (found.breach !== null) {
    const look = (chain: string, from: number, to: number): Promise<readonly StoredLine[]> =>
      records.ofChain(chain, from, to)
    const { what, message, chain, seq, upTo } = await nameBreach(found.breach, look, evidence)
    return { ...sums, breach: { what, message, chain, seq, ...(upTo !== undefined && { upTo }) } }
  }
  return { ...sums, breach: signed.breach }
}

async function allAttestations({ attestations }: HistoryQuestion): Promise<readonly StoredAttestation[]> {
  const all: StoredAttestation[] = []
  for (;;) {
    const lines = await attestations.after(all.at(-1)?.number ?? 0, ATTESTATIONS_PAGE)
    all.push(...lines)
    if (lines.length < ATTESTATIONS_PAGE) return all
  }
}

function inOrder(copies: ReadonlyMap<number, string> = new Map()): readonly StoredAttestation[] {
  return [...copies].map(([number, text]) => ({ number, text })).toSorted((a, b) => a.number - b.number)
}
