import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { readRows } from './json-rows.ts'

const envelope = { type: 'sync', status: 'Success', status_code: 200, operation: '', error_code: 0, error: '' }
const bytes = (metadata: unknown) => Buffer.from(JSON.stringify({ ...envelope, metadata }))
const same = (row: unknown) => row

describe('a list read row by row', () => {
  it('is what it is when it is read as a whole, whatever is in its rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())), async (rows) => {
        const body = bytes(rows)
        expect(await readRows(body, same)).toEqual(JSON.parse(body.toString('utf8')))
      }),
      { numRuns: 300 },
    )
  })

  it('lets other work in between', async () => {
    const row = { name: 'x'.repeat(1_000), config: { a: '"}],[{' } }
    let turns = 0
    const turning = setInterval(() => (turns += 1), 0)
    const read = await readRows(bytes(Array.from({ length: 4_000 }, () => row)), () => 1)
    clearInterval(turning)
    expect(read).toEqual({ ...envelope, metadata: Array.from({ length: 4_000 }, () => 1) })
    expect(turns).toBeGreaterThan(5)
  })

  it('keeps of each row what it is told to', async () => {
    expect(await readRows(bytes([{ a: 1, b: 2 }]), (row) => Object.keys(row as object))).toMatchObject({
      metadata: [['a', 'b']],
    })
  })

  it('is read with spaces between its rows', async () => {
    const body = Buffer.from('{"type":"sync","metadata":[ {"a":1} ,\n{"a":2} ]}\n')
    expect(await readRows(body, same)).toEqual({ type: 'sync', metadata: [{ a: 1 }, { a: 2 }] })
  })

  test.each([
    ['an error', '{"type":"error","error":"no","error_code":403,"metadata":null}'],
    ['an object', '{"type":"sync","metadata":{"a":1}}'],
    ['rows that are no objects', '{"type":"sync","metadata":["/1.0/instances/a"]}'],
    ['a row that does not end', '{"type":"sync","metadata":[{"a":{"b":1}'],
    ['an array that does not end', '{"type":"sync","metadata":[{"a":1},'],
    ['a broken row', '{"type":"sync","metadata":[{"a":}]}'],
    ['a broken envelope', '{"type":"sync","metadata":[{"a":1}]'],
    ['no JSON', 'Service Unavailable'],
    ['nothing', ''],
  ])('is left to be read as a whole: %s', async (_what, body) => {
    expect(await readRows(Buffer.from(body), same)).toBeUndefined()
  })
})
