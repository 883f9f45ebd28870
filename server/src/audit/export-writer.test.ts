import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { lineOf } from '../../testing/memory-audit-store.ts'
import { isSignedBy, keyId } from './attestation.ts'
import { cell } from './export-csv.ts'
import { ExportManifest, ExportWriter } from './export-writer.ts'
import type { ExportFormat } from './export-writer.ts'
import { actorOf, auditEntry, noHash, placeRecord, requestOf } from './record.ts'

const signing = generateKeyPairSync('ed25519').privateKey
const at = '2026-01-01T00:00:00.000Z'

const lines = ['=1+1', 'db-01', 'a "quoted", name'].map((object, seq) => {
  const actor = actorOf({ iss: 'i', sub: 'jo', name: '@jo', roles: ['admin'], sessionTag: 's', authTime: 1, amr: [] })
  const req = requestOf({ id: 'r1', method: 'DELETE', route: '/x', path: '/x' })
  const entry = auditEntry({ action: 'instance.delete', cluster: 'prod-eu', object, actor, req })
  return lineOf(placeRecord(entry, 'intent', at, { chain: 'c', seq, prev: noHash }), seq + 1)
})

function exported(format: ExportFormat) {
  const writer = new ExportWriter({ format, by: 'jo', filter: 'cluster:prod-eu' })
  const file = Buffer.concat([
    writer.begin(),
    writer.chunk(lines.slice(0, 2)),
    writer.chunk([]),
    writer.chunk(lines.slice(2)),
  ])
  return { file, manifest: ExportManifest.parse(JSON.parse(writer.manifest(at, signing))) }
}

describe('an export', () => {
  test('as NDJSON is the records as they are kept, byte for byte', () => {
    expect(exported('ndjson').file.toString()).toBe(lines.map(({ text }) => `${text}\n`).join(''))
  })

  test('as CSV has a row for each record, and no cell that a spreadsheet would calculate', () => {
    const rows = exported('csv').file.toString().split('\r\n')
    expect(rows).toHaveLength(5)
    expect(rows[0]).toMatch(/^time,source,phase,who,/)
    expect(rows[1]).toContain(",'@jo,")
    expect(rows[1]).toContain(",'=1+1,")
    expect(rows[3]).toContain(',"a ""quoted"", name",')
    expect(rows[4]).toBe('')
  })

  test.each([
    ['=cmd', "'=cmd"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@x', "'@x"],
    ['\tx', "'\tx"],
    ['\rx\n=1', String.raw`\rx\n=1`],
    ['=1,2', '"\'=1,2"'],
    ['a=1', 'a=1'],
    ['', ''],
    [-1, '-1'],
    [null, ''],
    [false, 'false'],
  ])('writes %j as %s', (value, written) => {
    expect(cell(value)).toBe(written)
  })

  test.each(['ndjson', 'csv'] as const)('as %s says what was written under the signature of the console', (format) => {
    const { file, manifest } = exported(format)
    expect(manifest).toMatchObject({
      format,
      records: 3,
      bytes: file.length,
      sha256: createHash('sha256').update(file).digest('hex'),
      first: { chain: 'c', seq: 0 },
      last: { chain: 'c', seq: 2 },
      filter: 'cluster:prod-eu',
      key: keyId(signing),
    })
    expect(isSignedBy(manifest, signing)).toBe(true)
    expect(isSignedBy({ ...manifest, records: 2 }, signing)).toBe(false)
  })

  test('of nothing says so', () => {
    const writer = new ExportWriter({ format: 'ndjson', by: 'jo', filter: '' })
    expect(writer.begin()).toHaveLength(0)
    expect(JSON.parse(writer.manifest(at, signing))).toMatchObject({ records: 0, first: null, last: null })
  })
})
