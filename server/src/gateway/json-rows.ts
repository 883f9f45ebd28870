// The answer to a large list, read row by row. Ten thousand instances are 35 MB of JSON, for which JSON.parse needs half
// a second in which the console would answer nobody; most of it is configuration that no list shows. So it is read in
// pieces, each row is cut down at once, and other work comes in between.

import { setImmediate } from 'node:timers/promises'

/** About four milliseconds of work. */
const pieceBytes = 256 * 1024
/** Incus writes the rows last, after an envelope of a few words. */
const mostEnvelopeBytes = 1_024
const opening = '"metadata":['

/**
 * The envelope of an answer whose `metadata` is an array of objects, with what `eachRow` keeps of each of them in their
 * place; undefined for an answer of any other form, which is then to be read as a whole.
 */
export async function readRows(body: Buffer, eachRow: (row: unknown) => unknown): Promise<unknown> {
  const at = body.subarray(0, mostEnvelopeBytes).indexOf(opening)
  if (at === -1) return undefined
  const first = at + opening.length
  const rows: unknown[] = []
  const scan = { next: first, ended: false }
  try {
    for (let pieceEnd = first + pieceBytes; ; pieceEnd = scan.next + pieceBytes) {
      while (!scan.ended && scan.next < pieceEnd) {
        const row = nextRow(body, scan)
        if (row !== undefined) rows.push(eachRow(JSON.parse(row)))
      }
      if (scan.ended) break
      await setImmediate()
    }
    const envelope: unknown = JSON.parse(`${body.toString('utf8', 0, first)}${body.toString('utf8', scan.next - 1)}`)
    return typeof envelope === 'object' && envelope !== null ? { ...envelope, metadata: rows } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const [quote, backslash, comma, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from('"\\,{}[]')

/** The text of the next object, or undefined at the end of the array, where `ended` is set. */
function nextRow(body: Buffer, scan: { next: number; ended: boolean }): string | undefined {
  let at = scan.next
  while (body[at] === comma || isSpace(body[at])) at += 1
  if (body[at] === closeBracket) {
    scan.next = at + 1
    scan.ended = true
    return undefined
  }
  if (body[at] !== openBrace) throw new SyntaxError('a row is not an object')
  const begin = at
  let depth = 0
  for (let inText = false; at < body.length; at += 1) {
    const byte = body[at]
    if (inText) {
      if (byte === backslash) at += 1
      else if (byte === quote) inText = false
    } else if (byte === quote) inText = true
    else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) break
    }
  }
  if (depth !== 0) throw new SyntaxError('the last row does not end')
  scan.next = at + 1
  return body.toString('utf8', begin, at + 1)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
