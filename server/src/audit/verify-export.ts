import { createHash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isSignedBy } from './attestation.ts'
import type { AuditStore, StoredLine } from './audit-store.ts'
import { csvHeader } from './export-csv.ts'
import { ExportManifest, renderLine } from './export-writer.ts'
import { parseRecord } from './record.ts'
import type { Tampering } from './verify.ts'

export interface ExportFile {
  /** What was written beside it. */
  readonly manifest: string
  /** Its lines, each with its end; may be asked for twice. */
  readonly lines: () => AsyncIterable<string>
}

export interface ExportBreach {
  readonly what: Tampering
  readonly message: string
  /** Where the record is known; else the line of the file says where. */
  readonly chain?: string
  readonly seq?: number
}

/**
 * Whether an export is still what the console wrote. The manifest tells that under its signature; where it is not, each
 * line is held against the history itself, to say which one and what was done to it.
 */
export async function verifyExport(
  file: ExportFile,
  history: Pick<AuditStore, 'find' | 'after'>,
  key: KeyObject,
): Promise<ExportBreach | null> {
  const manifest = parseManifest(file.manifest)
  if (manifest === undefined || !isSignedBy(manifest, key)) {
    return { what: 'changed', message: 'The manifest was changed: its signature is not of this key' }
  }
  const hash = createHash('sha256')
  let count = manifest.format === 'csv' ? -1 : 0
  for await (const line of file.lines()) {
    hash.update(line)
    count += 1
  }
  if (hash.digest('hex') === manifest.sha256) return null
  return (await wrongLine(file, manifest, count, history)) ?? missing(manifest, count)
}

function parseManifest(text: string): ExportManifest | undefined {
  try {
    const parsed = ExportManifest.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

async function wrongLine(
  { lines }: ExportFile,
  manifest: ExportManifest,
  count: number,
  history: Pick<AuditStore, 'find' | 'after'>,
): Promise<ExportBreach | undefined> {
  const seen = new Set<number>()
  const before: StoredLine[] = []
  let number = 0
  for await (const text of lines()) {
    number += 1
    if (manifest.format === 'csv' && number === 1) {
      if (text !== csvHeader) return { what: 'changed', message: 'Line 1 was changed: it is not the header' }
      continue
    }
    const place = placeOf(manifest.format, text)
    const line = place && (await history.find(place.chain, place.seq))
    if (line === undefined) return unknownLine(number, count > manifest.records)
    if (renderLine(manifest.format, line) !== text) return named(line, 'changed', `line ${number} says something else`)
    if (seen.has(line.position)) return named(line, 'inserted', `line ${number} says it a second time`)
    const last = before.at(-1)
    if (last !== undefined && line.position < last.position) {
      // Either this one was moved down, or the one before it was moved up: the others go on behind the one before that.
      const movedUp = (before.at(-2)?.position ?? 0) < line.position
      return named(movedUp ? last : line, 'reordered', `line ${number} is not in the order of writing`)
    }
    if (manifest.filter === '' && last !== undefined && count < manifest.records) {
      const [next] = await history.after(last.position, 1)
      if (next !== undefined && next.position < line.position) {
        return named(next, 'dropped', `it is missing before line ${number}`)
      }
    }
    if (last === undefined && count < manifest.records && manifest.first !== null) {
      const { chain, seq } = manifest.first
      if (line.chain !== chain || line.seq !== seq) {
        return named(manifest.first, 'dropped', `it is missing before line ${number}`)
      }
    }
    seen.add(line.position)
    before.push(line)
    if (before.length > 2) before.shift()
  }
  const last = before.at(-1)
  const { first, last: end } = manifest
  if (end !== null && (last?.chain !== end.chain || last.seq !== end.seq) && count < manifest.records) {
    const [next] = last === undefined || manifest.filter !== '' ? [] : await history.after(last.position, 1)
    const gone = last === undefined ? first : next
    const message = `Its end was cut off: ${manifest.records - count} records are missing behind line ${number}`
    return gone === null || gone === undefined
      ? { what: 'cut off', message }
      : { what: 'cut off', message, chain: gone.chain, seq: gone.seq }
  }
  return undefined
}

function missing(manifest: ExportManifest, count: number): ExportBreach {
  if (count < manifest.records) {
    return { what: 'dropped', message: `${manifest.records - count} records were dropped from among the others` }
  }
  return { what: 'changed', message: 'It was changed: its bytes are not those that were written' }
}

function unknownLine(number: number, isMore: boolean): ExportBreach {
  return isMore
    ? { what: 'inserted', message: `Line ${number} was inserted: the history does not know it` }
    : { what: 'changed', message: `Line ${number} was changed: the history does not know it` }
}

function named(
  { chain, seq }: { readonly chain: string; readonly seq: number },
  what: Tampering,
  why: string,
): ExportBreach {
  return { what, message: `Record ${seq} of chain ${chain} was ${what}: ${why}`, chain, seq }
}

/** Chain, place and hash are the last columns of CSV, and have no commas. */
function placeOf(format: ExportManifest['format'], text: string): { chain: string; seq: number } | undefined {
  if (format === 'ndjson') return parseRecord(text)
  const [, chain = '', seq = ''] = /,([^,"]+),(\d+),[^,]*\r\n$/.exec(text) ?? []
  return chain === '' ? undefined : { chain, seq: Number(seq) }
}
