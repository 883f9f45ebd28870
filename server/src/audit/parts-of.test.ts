import { describe, expect, test } from 'vitest'
import { partsOf } from './parts-of.ts'
import { auditEntry, noHash, placeRecord, requestOf } from './record.ts'

const out = { status: 202, op: null, opStatus: null, bytes: null, ms: null, code: null }
const req = (id: string) => requestOf({ id, method: 'POST', route: '', path: '' })

/** Four records of one evacuation, and two of others. */
const all = [
  { action: 'member.evacuate', req: req('r1') },
  { action: 'member.evacuate', req: req('r2') },
  { action: 'member.evacuate', req: req('r1'), out: { ...out, op: 'o1' } },
  { action: 'member.list' },
  { action: 'member.evacuate', req: req('r3'), out: { ...out, op: 'o1', opStatus: 'success' } },
].map((entry, seq) =>
  placeRecord(auditEntry(entry), 'outcome', '2026-01-01T00:00:00.000Z', { chain: 'c', seq, prev: noHash }),
)

describe('the parts of a deed', () => {
  test.each([
    [0, [0, 2, 4]],
    [2, [0, 2, 4]],
    [4, [0, 2, 4]],
    [1, [1]],
    [3, [3]],
  ])('found from record %i are %j', (seq, parts) => {
    const record = all[seq]
    if (record === undefined) throw new Error('there is no such record')
    expect(partsOf(record, [])).toEqual([record])
    expect(partsOf(record, all).map((part) => part.seq)).toEqual(parts)
  })
})
