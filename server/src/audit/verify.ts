import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { ChainHead, StoredLine } from './audit-store.ts'
import { hashOf, isQuiet, noHash, parseRecord, textOf } from './record.ts'

/** What is known after some lines. Goes on from where it stands, so that a long history is checked piece by piece. */
export interface Verification {
  readonly records: number
  readonly lastPosition: number
  /** The last record of each chain. */
  readonly heads: ReadonlyMap<string, { readonly seq: number; readonly hash: string; readonly closed: boolean }>
  /** The first thing that does not hold, and nothing is checked after it. */
  readonly breach: Breach | null
}

export interface Breach {
  readonly chain: string
  readonly seq: number
  /** A sentence that names the record. */
  readonly message: string
}

export const nothingVerified: Verification = { records: 0, lastPosition: 0, heads: new Map(), breach: null }

/**
 * Checks lines in the order of writing against all that came before them: each is the canonical text of a record, its
 * hash is right, it follows the record before it in its chain, a chain begins with a genesis that names the head of
 * another, nothing follows a close, and the columns say what the text says. So a line that was changed, left out,
 * moved or put in is found. What was cut off at the very end is found by `verifyHead`.
 */
export function verifyLines(before: Verification, lines: readonly StoredLine[]): Verification {
  if (before.breach !== null) return before
  const heads = new Map(before.heads)
  let { records, lastPosition } = before
  for (const line of lines) {
    const record = parseRecord(line.text)
    const wrong = record === undefined ? 'the text is not a record' : whatIsWrong(line, record, heads)
    if (wrong !== undefined) {
      const message = `Record ${line.seq} of chain ${line.chain}: ${wrong}`
      return { records, lastPosition, heads, breach: { chain: line.chain, seq: line.seq, message } }
    }
    heads.set(line.chain, { seq: line.seq, hash: line.hash, closed: record?.phase === 'close' })
    records += 1
    lastPosition = line.position
  }
  return { records, lastPosition, heads, breach: null }
}

/** Checks that a record which is known to have been written is still there, at the end of its chain or before it. */
export function verifyHead(after: Verification, known: ChainHead): Verification {
  if (after.breach !== null) return after
  const head = after.heads.get(known.chain)
  if (head !== undefined && (head.seq > known.seq || head.hash === known.hash)) return after
  const message = `Record ${known.seq} of chain ${known.chain}: it was written and is missing`
  return { ...after, breach: { chain: known.chain, seq: known.seq, message } }
}

function whatIsWrong(line: StoredLine, record: AuditRecord, heads: Verification['heads']): string | undefined {
  if (textOf(record) !== line.text) return 'the text is not in canonical form'
  if (hashOf(record) !== record.hash) return 'the content does not match its hash'
  if (!columnsAgree(line, record)) return 'the columns do not say what the record says'
  const head = heads.get(record.chain)
  return head === undefined ? wrongBeginning(record, heads) : wrongContinuation(record, head)
}

function columnsAgree(line: StoredLine, record: AuditRecord): boolean {
  return (
    record.hash === line.hash &&
    record.prev === line.prev &&
    record.chain === line.chain &&
    record.seq === line.seq &&
    record.cluster === line.cluster &&
    record.object === line.object &&
    Date.parse(record.ts) === line.at &&
    isQuiet(record) === line.quiet
  )
}

function wrongBeginning(record: AuditRecord, heads: Verification['heads']): string | undefined {
  if (record.seq !== 0 || record.phase !== 'genesis') return 'records before it are missing'
  if (record.prev === noHash) return heads.size > 0 ? 'it claims to be the first of all and is not' : undefined
  const named = [...heads.values()].some(({ hash }) => hash === record.prev)
  return named ? undefined : 'the end of the chain before it is missing'
}

function wrongContinuation(
  record: AuditRecord,
  head: { seq: number; hash: string; closed: boolean },
): string | undefined {
  if (head.closed) return 'it comes after the end of its chain'
  if (record.phase === 'genesis') return 'a chain begins twice'
  if (record.seq !== head.seq + 1) return `it follows record ${head.seq}, so records are missing or out of order`
  return record.prev === head.hash ? undefined : 'it does not follow the record before it'
}
