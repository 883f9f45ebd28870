import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { hash as digest } from 'node:crypto'
import type { StoredLine } from './audit-store.ts'
import { hashOf, isQuiet, parseRecord, textOf } from './record.ts'

const BEFORE_HASH = ',"hash":"'
const AFTER_HASH = '","object":'
const HASH_DIGITS = 64

/**
 * Whether a line is certainly what was written, found without reading it as JSON: ten million of them are to be checked in
 * a minute. The hash covers the text but for itself, so the text is taken apart where it stands, which in canonical form
 * is behind `decision` and before `object`; inside of strings these marks cannot occur, as quotes are escaped there. False
 * means that it has to be looked at closely (`whyUnsound`), not that it is wrong.
 */
export function isPlainlySound(line: StoredLine): boolean {
  const { text, hash, chain } = line
  const at = text.indexOf(BEFORE_HASH)
  const from = at + BEFORE_HASH.length
  if (at < 0 || text.slice(from, from + HASH_DIGITS) !== hash) return false
  if (!text.startsWith(AFTER_HASH, from + HASH_DIGITS)) return false
  const rest = text.slice(0, at) + text.slice(from + HASH_DIGITS + 1)
  if (digest('sha256', line.prev + rest, 'hex') !== hash) return false
  // Now the text is known to be what was written, and what the columns say has to stand in it, each in its one place.
  return (
    says(text, `,"chain":"${chain}","cluster":${JSON.stringify(line.cluster)},"decision":`) &&
    text.startsWith(`${JSON.stringify(line.object)},"out":`, from + HASH_DIGITS + AFTER_HASH.length) &&
    says(text, `,"prev":"${line.prev}","req":`) &&
    says(text, `,"seq":${line.seq},"source":"`) &&
    says(text, `,"ts":"${new Date(line.at).toISOString()}","up":`) &&
    quietInText(text) === line.quiet
  )
}

/** What is wrong with a line by itself, as a sentence's end; undefined when nothing is. */
export function whyUnsound(line: StoredLine, record: AuditRecord | undefined): string | undefined {
  if (record === undefined) return 'the text is not a record'
  if (textOf(record) !== line.text) return 'the text is not in canonical form'
  if (hashOf(record) !== record.hash) return 'the content does not match its hash'
  if (!columnsAgree(line, record)) return 'the columns do not say what the record says'
  return undefined
}

/** A line's own record, when it is one and its hash is right, whatever the columns say. */
export function soundRecord(line: StoredLine): AuditRecord | undefined {
  const record = parseRecord(line.text)
  return record !== undefined && textOf(record) === line.text && hashOf(record) === record.hash ? record : undefined
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

function says(text: string, words: string): boolean {
  return text.includes(words)
}

/** `isQuiet`, of what stands in the text: the same words decide, so texts that agree in them are decided once. */
function quietInText(text: string): boolean | undefined {
  const action = text.slice(0, text.indexOf(',"actor":'))
  const decision = between(text, ',"decision":', ',"hash":')
  const source = between(text, ',"source":', ',"src":')
  const protocol = text.includes(',"actor":null,') ? 'nobody' : between(text, ',"protocol":', ',"roles":')
  const key = `${action}\n${decision}\n${source}\n${protocol}`
  const known = decided.get(key)
  if (known !== undefined) return known
  const record = parseRecord(text)
  if (record === undefined) return undefined
  if (decided.size >= MOST_DECIDED) decided.clear()
  const quiet = isQuiet(record)
  decided.set(key, quiet)
  return quiet
}

const MOST_DECIDED = 5000
const decided = new Map<string, boolean>()

function between(text: string, begin: string, end: string): string {
  const from = text.indexOf(begin)
  return from < 0 ? '' : text.slice(from, text.indexOf(end, from))
}
