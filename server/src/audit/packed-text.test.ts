import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestLogEntry } from '../../testing/history-at.ts'
import { packText, unpackText } from './packed-text.ts'
import { actorOf, auditEntry, noHash, placeRecord, requestOf, textOf } from './record.ts'

const at = Date.UTC(2026, 0, 1)

function placed(entry: Parameters<typeof placeRecord>[0]) {
  const record = placeRecord(entry, 'event', new Date(at).toISOString(), {
    chain: crypto.randomUUID(),
    seq: 7,
    prev: noHash,
  })
  return { text: textOf(record), beside: { chain: record.chain, hash: record.hash, prev: record.prev, at } }
}

describe('a packed text', () => {
  test('is a third as long for a line of the request log, and the same when it is unpacked', () => {
    const { text, beside } = placed(requestLogEntry(3))
    const packed = packText(text, beside)
    expect(packed.length).toBeLessThan(text.length / 3)
    expect(unpackText(packed, beside)).toBe(text)
    expect(unpackText(text, beside)).toBe(text)
  })

  test('T-fuzz: gives back every record, whatever strangers put into it', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (name, object, path, isWord) => {
        const word = isWord ? `${object}","out":null,"phase":"event"` : object
        const actor = actorOf({
          iss: name,
          sub: path,
          name,
          roles: ['admin'],
          sessionTag: name,
          authTime: 1,
          amr: [path],
        })
        const req = requestOf({ id: name, method: 'GET', route: path, path })
        const { text: whole, beside } = placed(auditEntry({ action: name.toWellFormed(), object: word, actor, req }))
        expect(unpackText(packText(whole, beside), beside)).toBe(whole)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('says something else when a column beside it does', () => {
    const { text, beside } = placed(requestLogEntry(3))
    const packed = packText(text, beside)
    for (const other of [{ chain: 'other' }, { hash: 'f' }, { prev: 'f' }, { at: 1 }]) {
      expect(unpackText(packed, { ...beside, ...other })).not.toBe(text)
    }
  })
})
