import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { parseRecord } from './record.ts'

type Column = readonly [name: string, of: (record: AuditRecord) => string | number | boolean | null | undefined]

const columns: readonly Column[] = [
  ['time', ({ ts }) => ts],
  ['source', ({ source }) => source],
  ['phase', ({ phase }) => phase],
  ['who', ({ actor }) => actor?.name],
  ['issuer', ({ actor }) => actor?.iss],
  ['subject', ({ actor }) => actor?.sub],
  ['roles', ({ actor }) => actor?.roles.join(' ')],
  ['address', ({ src }) => src.ip],
  ['action', ({ action }) => action],
  ['cluster', ({ cluster }) => cluster],
  ['project', ({ req }) => req?.project],
  ['object', ({ object }) => object],
  ['placement', ({ req }) => req?.placement],
  ['via', ({ up, src }) => up?.via ?? src.via],
  ['allowed', ({ decision }) => decision.allow],
  ['rule', ({ decision }) => decision.rule],
  ['status', ({ out }) => out?.status],
  ['code', ({ out }) => out?.code],
  ['operation', ({ out }) => out?.op],
  ['operation_status', ({ out }) => out?.opStatus],
  ['milliseconds', ({ out }) => out?.ms],
  ['method', ({ req }) => req?.method],
  ['path', ({ req }) => req?.path],
  ['count', ({ req }) => req?.count],
  ['request', ({ req }) => req?.id],
  ['chain', ({ chain }) => chain],
  ['seq', ({ seq }) => seq],
  ['hash', ({ hash }) => hash],
]

/** RFC 4180, with the line ends it wants. */
export const csvHeader = `${columns.map(([name]) => name).join(',')}\r\n`

/** A record's row; a line that is no record any more is an empty row, so that the count of rows stays right. */
export function csvRow(text: string): string {
  const record = parseRecord(text)
  const cells = columns.map(([, of]) => (record === undefined ? '' : cell(of(record))))
  return `${cells.join(',')}\r\n`
}

/**
 * A cell that no spreadsheet takes for a formula: one that begins with a character that begins formulas is led by an
 * apostrophe (https://owasp.org/www-community/attacks/CSV_Injection). Numbers are ours and stay numbers.
 */
export function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  if (PLAIN.test(value)) return value
  // One record, one line: what would end it is written out.
  const line = value.replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`)
  const safe = /^[=+\-@\t]/.test(line) ? `'${line}` : line
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Most cells; what needs no further look. */
const PLAIN = /^[\w/][\w ./:@-]*$/
