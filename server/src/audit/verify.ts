/**
 * Whether the history is what was written. Lines are checked in the order of writing against all that came before them:
 * each is the canonical text of a record, its hash is right, it follows the record before it in its chain, a chain begins
 * with a genesis that names the head of another, nothing follows a close, the columns say what the text says, and the
 * ends of chains are where signed checkpoints saw them. What was pruned is missing under a signed tombstone.
 *
 * This finds the first place that does not hold; what was done there is told by `name-breach.ts`, which looks round it.
 */
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { ChainHead, StoredLine } from './audit-store.ts'
import type { Evidence } from './evidence.ts'
import { noEvidence } from './evidence.ts'
import { noHash, parseRecord } from './record.ts'
import { isPlainlySound, soundRecord, whyUnsound } from './sound.ts'

/** What is known after some lines. Goes on from where it stands, so that a long history is checked piece by piece. */
export interface Verification {
  readonly records: number
  readonly lastPosition: number
  /** The last record of each chain. */
  readonly heads: ReadonlyMap<string, VerifiedHead>
  /** The first thing that does not hold, and nothing is checked after it. */
  readonly breach: Breach | null
  /** What is known from elsewhere. */
  readonly evidence: Evidence
  /** The newest lines, for a chain that was begun while another went on. */
  readonly newest: readonly StoredLine[]
  /** Chains that a genesis named in their middle, so that they have to go on behind it. */
  readonly unfinished: ReadonlyMap<string, number>
  /** The last line that a checkpoint vouches for. */
  readonly vouchedPosition: number
}

export interface VerifiedHead {
  readonly seq: number
  readonly hash: string
  readonly closed: boolean
  /** The first line of the chain that no checkpoint covers. */
  readonly beyond?: { readonly seq: number; readonly position: number }
}

/** What can be done to a history. */
export type Tampering = 'changed' | 'dropped' | 'inserted' | 'reordered' | 'cut off'

export interface Breach {
  readonly chain: string
  /** The first record that is not what it was. */
  readonly seq: number
  /** The last, where all that is known is that it is one from `seq` on. */
  readonly upTo?: number
  readonly what: Tampering
  /** A sentence that names the record. */
  readonly message: string
  readonly doubt: Doubt
}

/** What was seen at the first place that does not hold. */
export type Doubt =
  | { readonly kind: 'unsound'; readonly line: StoredLine; readonly why: string }
  | { readonly kind: 'after-close' | 'begins-twice'; readonly line: StoredLine }
  | { readonly kind: 'gap' | 'again'; readonly line: StoredLine; readonly expected: number }
  | { readonly kind: 'link'; readonly line: StoredLine; readonly head: ChainHead }
  | { readonly kind: 'orphan'; readonly line: StoredLine; readonly latest: StoredLine | null }
  | { readonly kind: 'anchor'; readonly line: StoredLine; readonly from: number }
  | { readonly kind: 'missing'; readonly chain: string; readonly seq: number }
  | { readonly kind: 'other-end'; readonly chain: string; readonly seq: number }
  | { readonly kind: 'uncovered'; readonly chain: string; readonly seq: number }

/** The beginning of a verification that knows more than the history itself says. */
export function beginVerification(evidence: Evidence): Verification {
  return {
    records: 0,
    lastPosition: 0,
    heads: new Map(),
    breach: null,
    evidence,
    newest: [],
    unfinished: new Map(),
    vouchedPosition: 0,
  }
}

export const nothingVerified: Verification = beginVerification(noEvidence)

const NEWEST = 64

/** Checks some more lines. */
export function verifyLines(before: Verification, lines: readonly StoredLine[]): Verification {
  if (before.breach !== null) return before
  const walk = new Walk(before)
  for (const line of lines) {
    const doubt = walk.take(line)
    if (doubt !== undefined) return { ...walk.found, breach: breachOf(doubt) }
  }
  const newest = [...before.newest, ...lines.slice(-NEWEST)].slice(-NEWEST)
  return { ...walk.found, newest }
}

/** Checks that a record which is known to have been written is still there, at the end of its chain or before it. */
export function verifyHead(after: Verification, known: ChainHead): Verification {
  if (after.breach !== null) return after
  const head = after.heads.get(known.chain)
  if (head !== undefined && (head.seq > known.seq || head.hash === known.hash)) return after
  if (head?.seq === known.seq) {
    return { ...after, breach: breachOf({ kind: 'other-end', chain: known.chain, seq: known.seq }) }
  }
  const seq = head === undefined ? (runEnd(after.evidence, known.chain, -1)?.seq ?? -1) + 1 : head.seq + 1
  if (seq > known.seq) return after
  return { ...after, breach: breachOf({ kind: 'missing', chain: known.chain, seq }) }
}

/** Checks what can be said only when all lines were seen: whether all that is known is there, and nothing beside it. */
export function verifyEnd(after: Verification): Verification {
  let found = after
  for (const [chain, { last }] of after.evidence.chains) {
    if (last !== undefined) found = verifyHead(found, { chain, ...last })
  }
  if (found.breach !== null) return found
  for (const [chain, { seq, beyond }] of found.heads) {
    const named = found.unfinished.get(chain)
    const vouched = found.evidence.chains.get(chain)?.last?.seq ?? -1
    if (named !== undefined && seq === named + 1 && vouched < seq) {
      return { ...found, breach: breachOf({ kind: 'uncovered', chain, seq: named + 1 }) }
    }
    if (beyond !== undefined && beyond.position < found.vouchedPosition && seq >= beyond.seq) {
      return { ...found, breach: breachOf({ kind: 'uncovered', chain, seq: beyond.seq }) }
    }
  }
  return found
}

/** One pass over some lines. */
class Walk {
  readonly #before: Verification
  readonly #heads: Map<string, VerifiedHead>
  readonly #unfinished: Map<string, number>
  readonly #lines: StoredLine[] = []
  #records: number
  #lastPosition: number
  #vouchedPosition: number

  constructor(before: Verification) {
    this.#before = before
    this.#heads = new Map(before.heads)
    this.#unfinished = new Map(before.unfinished)
    this.#records = before.records
    this.#lastPosition = before.lastPosition
    this.#vouchedPosition = before.vouchedPosition
  }

  /** What does not hold, if anything. */
  take(line: StoredLine): Doubt | undefined {
    if (!isPlainlySound(line)) {
      const why = whyUnsound(line, parseRecord(line.text))
      if (why !== undefined) return { kind: 'unsound', line, why }
    }
    const head = this.#headOf(line)
    const doubt = head === undefined ? this.#wrongBeginning(line) : wrongContinuation(line, head)
    if (doubt !== undefined) return doubt
    const wrongEnd = this.#againstEvidence(line, head?.seq ?? -1)
    if (wrongEnd !== undefined) return wrongEnd
    this.#keep(line, head)
    return undefined
  }

  get found(): Verification {
    return {
      ...this.#before,
      records: this.#records,
      lastPosition: this.#lastPosition,
      heads: this.#heads,
      unfinished: this.#unfinished,
      vouchedPosition: this.#vouchedPosition,
    }
  }

  /** The end of the line's chain, behind what was pruned. */
  #headOf({ chain }: StoredLine): VerifiedHead | undefined {
    const head = this.#heads.get(chain)
    const pruned = runEnd(this.#before.evidence, chain, head?.seq ?? -1)
    return pruned === undefined ? head : { ...head, ...pruned, closed: false }
  }

  #wrongBeginning(line: StoredLine): Doubt | undefined {
    if (line.seq !== 0) return { kind: 'gap', line, expected: 0 }
    if (phaseOf(line) !== 'genesis') return { kind: 'orphan', line, latest: this.#latest() }
    if (line.prev === noHash) {
      return this.#heads.size > 0 ? { kind: 'orphan', line, latest: this.#latest() } : undefined
    }
    const latest = this.#latest()
    if (latest?.hash === line.prev) return undefined
    for (const { hash } of this.#heads.values()) if (hash === line.prev) return undefined
    // Another console, or a command, begins its chain while the first goes on writing.
    const named = this.#recent().find(({ hash }) => hash === line.prev)
    if (named !== undefined) {
      this.#unfinished.set(named.chain, named.seq)
      return undefined
    }
    return this.#before.evidence.wasPruned(line.prev) ? undefined : { kind: 'orphan', line, latest: latest ?? null }
  }

  #againstEvidence(line: StoredLine, before: number): Doubt | undefined {
    const known = this.#before.evidence.chains.get(line.chain)
    const vouched = known?.hashes.get(line.seq)
    if (vouched === undefined) return undefined
    if (vouched === line.hash) {
      this.#vouchedPosition = Math.max(this.#vouchedPosition, line.position)
      return undefined
    }
    let from = Math.min(before + 1, line.seq)
    while (from > 0 && known?.hashes.get(from - 1) === undefined) from -= 1
    return { kind: 'anchor', line, from }
  }

  #keep(line: StoredLine, head: VerifiedHead | undefined): void {
    const { chain, seq, hash, position: at } = line
    const { covered, chains } = this.#before.evidence
    const isBeyond = covered && head?.beyond === undefined && seq > (chains.get(chain)?.last?.seq ?? -1)
    const beyond = isBeyond ? { seq, position: at } : head?.beyond
    this.#heads.set(chain, {
      seq,
      hash,
      closed: phaseOf(line) === 'close',
      ...(beyond !== undefined && { beyond }),
    })
    this.#lines.push(line)
    this.#records += 1
    this.#lastPosition = at
  }

  #latest(): StoredLine | null {
    return this.#lines.at(-1) ?? this.#before.newest.at(-1) ?? null
  }

  #recent(): readonly StoredLine[] {
    return [...this.#before.newest, ...this.#lines].slice(-NEWEST)
  }
}

function wrongContinuation(line: StoredLine, head: VerifiedHead): Doubt | undefined {
  if (line.seq > head.seq + 1) return { kind: 'gap', line, expected: head.seq + 1 }
  if (line.seq <= head.seq) return { kind: 'again', line, expected: head.seq + 1 }
  if (head.closed) return { kind: 'after-close', line }
  if (phaseOf(line) === 'genesis') return { kind: 'begins-twice', line }
  if (line.prev === head.hash) return undefined
  return { kind: 'link', line, head: { chain: line.chain, seq: head.seq, hash: head.hash } }
}

/** Where a chain stands behind the pruned records that follow a place, if any do. */
function runEnd(
  evidence: Evidence,
  chain: string,
  seq: number,
): { readonly seq: number; readonly hash: string } | undefined {
  const runs = evidence.chains.get(chain)?.runs
  let end: { seq: number; hash: string } | undefined
  for (let run = runs?.get(seq + 1); run !== undefined; run = runs?.get(run.to + 1)) {
    end = { seq: run.to, hash: run.hash }
  }
  return end
}

/** Without reading the whole: canonical text has the phase in one place. */
function phaseOf({ text }: StoredLine): AuditRecord['phase'] | undefined {
  if (text.includes(',"phase":"genesis","prev":')) return 'genesis'
  return text.includes(',"phase":"close","prev":') ? 'close' : undefined
}

/** What it looks like before anybody has looked round it. */
export function breachOf(doubt: Doubt): Breach {
  if (doubt.kind === 'other-end') return breach(doubt.chain, doubt.seq, 'changed', 'another was written', doubt)
  if (doubt.kind === 'missing') return breach(doubt.chain, doubt.seq, 'cut off', 'it was written and is missing', doubt)
  if (doubt.kind === 'uncovered') {
    return breach(doubt.chain, doubt.seq, 'inserted', 'the signed checkpoints after it do not know it', doubt)
  }
  const { chain, seq } = soundRecord(doubt.line) ?? doubt.line
  switch (doubt.kind) {
    case 'unsound':
      return breach(chain, seq, 'changed', doubt.why, doubt)
    case 'after-close':
      return breach(chain, seq, 'inserted', 'it comes after the end of its chain', doubt)
    case 'begins-twice':
      return breach(chain, seq, 'inserted', 'a chain begins twice', doubt)
    case 'gap':
      return breach(chain, doubt.expected, 'dropped', `record ${seq} stands in its place`, doubt)
    case 'again':
      return breach(chain, seq, 'inserted', `record ${doubt.expected} belongs in its place`, doubt)
    case 'link':
      return breach(chain, doubt.head.seq, 'changed', `record ${seq} names another hash for it`, doubt)
    case 'orphan':
      return breach(chain, seq, 'inserted', 'it does not name the end of a chain before it', doubt)
    case 'anchor': {
      const { from } = doubt
      const why = 'a signed checkpoint knows another, so it and all after it were written anew'
      return { ...breach(chain, from, 'changed', why, doubt), upTo: seq }
    }
  }
}

export function breach(chain: string, seq: number, what: Tampering, why: string, doubt: Doubt): Breach {
  return { chain, seq, what, message: `Record ${seq} of chain ${chain} was ${what}: ${why}`, doubt }
}
