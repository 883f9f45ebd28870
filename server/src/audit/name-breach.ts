import type { StoredLine } from './audit-store.ts'
import type { Evidence } from './evidence.ts'
import { noHash } from './record.ts'
import { soundRecord, whyUnsound } from './sound.ts'
import { breach } from './verify.ts'
import type { Breach } from './verify.ts'

/** All lines of a chain whose columns say a place in it from one to another, in the order of writing. */
export type Look = (chain: string, from: number, to: number) => Promise<readonly StoredLine[]>

/**
 * Says what was done at the first place that does not hold, and to which record: a record that names another hash may
 * have been changed itself, or the one before it. What stands round it decides, and what checkpoints vouch for.
 */
export async function nameBreach(found: Breach, look: Look, evidence: Evidence): Promise<Breach> {
  const { doubt } = found
  const sound = async (chain: string, from: number, to = from) =>
    (await look(chain, from, to)).filter((line) => whyUnsound(line, soundRecord(line)) === undefined)
  switch (doubt.kind) {
    case 'unsound': {
      const { chain, seq } = found
      const others = (await sound(chain, seq)).filter(({ position }) => position !== doubt.line.position)
      if (others.length > 0) return breach(chain, seq, 'inserted', `it is there twice, and ${doubt.why}`, doubt)
      return found
    }
    case 'gap': {
      const { line, expected } = doubt
      const missing = await sound(line.chain, expected)
      if (missing.length === 0) return dropped(found, line, expected, evidence)
      const following = (await look(line.chain, expected, line.seq + 1))
        .filter(({ position }) => position > line.position)
        .toSorted((a, b) => a.position - b.position)[0]
      const movedUp = following?.seq === expected
      const [seq, why] = movedUp
        ? [line.seq, `it stands before record ${expected}`]
        : [expected, `it stands behind record ${line.seq}`]
      return breach(line.chain, seq, 'reordered', why, doubt)
    }
    case 'link': {
      const { line, head } = doubt
      const [next] = await sound(line.chain, line.seq + 1)
      const isVouched = evidence.chains.get(line.chain)?.hashes.get(line.seq) === line.hash
      const headIsVouched = evidence.chains.get(line.chain)?.hashes.get(head.seq) === head.hash
      const isRight = next === undefined ? isVouched || !headIsVouched : next.prev === line.hash
      if (isRight) return found
      return breach(line.chain, line.seq, 'changed', `it does not follow record ${head.seq}`, doubt)
    }
    case 'anchor': {
      const { chain, seq, hash } = doubt.line
      const vouched = evidence.chains.get(chain)?.hashes.get(seq)
      if ((await sound(chain, seq)).some((line) => line.hash === vouched)) {
        return breach(chain, seq, 'inserted', 'a signed checkpoint knows another, which is there too', doubt)
      }
      const [next] = await sound(chain, seq + 1)
      if (next === undefined || next.prev === hash) return found
      return breach(chain, seq, 'changed', `a signed checkpoint and record ${seq + 1} know another`, doubt)
    }
    case 'orphan':
      return nameOrphan(found, doubt.line, doubt.latest, sound, evidence)
    default:
      return found
  }
}

function dropped(found: Breach, line: StoredLine, expected: number, evidence: Evidence): Breach {
  const { chain } = line
  if (expected === 0 && evidence.covered && !evidence.chains.has(chain)) {
    return breach(chain, line.seq, 'inserted', 'it belongs to a chain that no checkpoint knows', found.doubt)
  }
  const last = line.seq - 1
  const which = last > expected ? `, with all up to record ${last}` : ''
  return breach(chain, expected, 'dropped', `it is missing before record ${line.seq}${which}`, found.doubt)
}

/** A chain that does not begin behind another: it was put in, its first record changed, or what it names is gone. */
async function nameOrphan(
  found: Breach,
  line: StoredLine,
  latest: StoredLine | null,
  sound: (chain: string, from: number, to?: number) => Promise<readonly StoredLine[]>,
  evidence: Evidence,
): Promise<Breach> {
  const { chain } = line
  const [second] = await sound(chain, 1)
  const vouched = evidence.chains.get(chain)?.hashes.get(0)
  if ((second !== undefined && second.prev !== line.hash) || (vouched !== undefined && vouched !== line.hash)) {
    return breach(chain, 0, 'changed', 'record 1 names another hash for it', found.doubt)
  }
  if (line.prev === noHash || (evidence.covered && !evidence.chains.has(chain))) return found
  for (const [gone, { last }] of evidence.chains) {
    if (last?.hash !== line.prev) continue
    const here = latest?.chain === gone ? latest.seq : ((await sound(gone, 0, last.seq)).at(-1)?.seq ?? -1)
    const [moved] = await sound(gone, last.seq)
    if (moved !== undefined) {
      return breach(chain, 0, 'reordered', `it stands before the end of chain ${gone}, which it names`, found.doubt)
    }
    const what = here < 0 ? 'dropped' : 'cut off'
    return breach(gone, here + 1, what, `record 0 of chain ${chain} names what came after`, found.doubt)
  }
  if (latest === null) return breach(chain, 0, 'dropped', 'the chain that it names is missing before it', found.doubt)
  const [moved] = await sound(latest.chain, latest.seq + 1)
  if (moved?.hash === line.prev) {
    return breach(
      chain,
      0,
      'reordered',
      `it stands before the end of chain ${latest.chain}, which it names`,
      found.doubt,
    )
  }
  return breach(
    latest.chain,
    latest.seq + 1,
    'cut off',
    `record 0 of chain ${chain} names what came after`,
    found.doubt,
  )
}
