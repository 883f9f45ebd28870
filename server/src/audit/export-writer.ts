/**
 * Records on their way out: as NDJSON, the canonical lines themselves, or as CSV for spreadsheets. Holds nothing but a
 * hash of what went by, so an export of any length needs the same memory. What was exported is said in a manifest under
 * the console's signature, by which `malleus audit verify --against` tells whether the file is still what was written.
 */
import { createHash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Instant } from '@malleus/shared/api/freshness.ts'
import { z } from 'zod'
import { keyId, signed } from './attestation.ts'
import type { StoredLine } from './audit-store.ts'
import { canonicalJson } from './canonical-json.ts'
import { csvHeader, csvRow } from './export-csv.ts'

export type ExportFormat = 'ndjson' | 'csv'

export const ExportManifest = z.object({
  v: z.literal(1),
  kind: z.literal('export'),
  format: z.enum(['ndjson', 'csv']),
  at: Instant,
  /** Who exported it. */
  by: z.string(),
  /** What was asked for, in words of whoever asked. */
  filter: z.string(),
  records: z.int().min(0),
  bytes: z.int().min(0),
  /** Of the whole file. */
  sha256: z.string(),
  /** The first and the last record; null of an export without records. */
  first: z.object({ chain: z.string(), seq: z.int() }).nullable(),
  last: z.object({ chain: z.string(), seq: z.int() }).nullable(),
  key: z.string(),
  signature: z.string(),
})
export type ExportManifest = z.infer<typeof ExportManifest>

export interface ExportOptions {
  readonly format: ExportFormat
  readonly by: string
  /** What was asked for; empty for everything. */
  readonly filter: string
}

export class ExportWriter {
  readonly #options: ExportOptions
  readonly #hash = createHash('sha256')
  #records = 0
  #bytes = 0
  #first: ExportManifest['first'] = null
  #last: ExportManifest['last'] = null

  constructor(options: ExportOptions) {
    this.#options = options
  }

  /** What stands before the first record; to be written first, even when there are no records. */
  begin(): Buffer {
    return this.#count(this.#options.format === 'csv' ? csvHeader : '')
  }

  /** Some records, in the order in which they are to stand. */
  chunk(lines: readonly StoredLine[]): Buffer {
    for (const { chain, seq } of [...lines.slice(0, 1), ...lines.slice(-1)]) {
      this.#first ??= { chain, seq }
      this.#last = { chain, seq }
    }
    this.#records += lines.length
    return this.#count(lines.map((line) => renderLine(this.#options.format, line)).join(''))
  }

  /** What was written, signed: one line of canonical JSON. Call it last. */
  manifest(at: string, signing: KeyObject): string {
    const { format, by, filter } = this.#options
    const said = {
      v: 1,
      kind: 'export',
      format,
      at,
      by,
      filter,
      records: this.#records,
      bytes: this.#bytes,
      sha256: this.#hash.copy().digest('hex'),
      first: this.#first,
      last: this.#last,
      key: keyId(signing),
    }
    return `${canonicalJson({ ...said, signature: signed(said, signing) })}\n`
  }

  get records(): number {
    return this.#records
  }

  #count(text: string): Buffer {
    const bytes = Buffer.from(text)
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    return bytes
  }
}

/** One record as it stands in the file, with the end of its line. */
export function renderLine(format: ExportFormat, line: Pick<StoredLine, 'text'>): string {
  return format === 'csv' ? csvRow(line.text) : `${line.text}\n`
}
