import type { KeyObject } from 'node:crypto'
import { isSignedBy, parseAttestation } from './attestation.ts'
import type { ChainHead } from './audit-store.ts'
import { hashOf, parseRecord } from './record.ts'
import type { Copies } from './verify-history.ts'

/** A file of copies is not what left the console. The message is a sentence that names the line. */
export class CopiesBroken extends Error {
  override readonly name = 'CopiesBroken'
}

/**
 * Reads what a sink has kept: attestations, and records where it got them. Lines may be there twice, and a collector may
 * have put words of its own before each. The rest of a line that was torn by a crash follows whole on the next.
 *
 * @throws CopiesBroken for a line that is neither.
 */
export async function readCopies(lines: AsyncIterable<string>, key: KeyObject): Promise<Copies> {
  const attestations = new Map<number, string>()
  const records: ChainHead[] = []
  let number = 0
  let torn: { readonly number: number; readonly text: string } | undefined
  for await (const line of lines) {
    number += 1
    const begin = line.indexOf('{')
    if (begin < 0 && line.trim() === '') continue
    const text = line.slice(Math.max(0, begin))
    if (torn !== undefined && !text.startsWith(torn.text)) throw broken(torn.number)
    torn = undefined
    const said = parseAttestation(text)
    if (said !== undefined && isSignedBy(said, key)) {
      attestations.set(said.number, text)
      continue
    }
    const record = parseRecord(text)
    if (record !== undefined && hashOf(record) === record.hash) {
      records.push({ chain: record.chain, seq: record.seq, hash: record.hash })
      continue
    }
    torn = { number, text }
  }
  if (torn !== undefined) throw broken(torn.number)
  return { attestations, records }
}

function broken(number: number): CopiesBroken {
  return new CopiesBroken(
    `Line ${number} was changed or is of another console: it is neither an attestation signed with this key nor a record.`,
  )
}
