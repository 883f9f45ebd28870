import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAttestationStore } from '../../testing/memory-attestation-store.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { Seeded } from '../../testing/seeded.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import type { StoredAttestation } from './attestation-store.ts'
import { openAuditLog } from './audit-log.ts'
import type { StoredLine } from './audit-store.ts'
import { Checkpoints } from './checkpoints.ts'
import { auditEntry, hashOf, parseRecord, textOf } from './record.ts'
import { verifyHistory } from './verify-history.ts'
import type { HistoryFinding } from './verify-history.ts'
import type { Tampering } from './verify.ts'

const key = generateKeyPairSync('ed25519').privateKey
const rounds = process.env['MALLEUS_LONG'] === '1' ? 10_000 : 300

interface History {
  readonly lines: readonly StoredLine[]
  readonly attestations: readonly StoredAttestation[]
}

/** What was done, and what may rightly be said of it: one of these records or attestations. */
interface Crime {
  readonly history: History
  readonly what: readonly Tampering[]
  readonly named: readonly string[]
}

let clean: History
let copies: ReadonlyMap<number, string>

/** Four starts: of two that ended well, one that was killed, and one that runs; with a checkpoint now and then. */
beforeAll(async () => {
  const records = new MemoryAuditStore()
  const attestations = new MemoryAttestationStore(records)
  const clock = new ManualClock()
  for (const end of ['closed', 'killed', 'closed', 'running'] as const) {
    const log = await openAuditLog({ store: records, clock, random: systemRandom, logger: silentLogger })
    const checkpoints = new Checkpoints({
      store: attestations,
      signing: key,
      history: log,
      clock,
      logger: silentLogger,
    })
    for (let id = 0; id < 12; id += 1) {
      await clock.pass(7)
      await log.intent(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: `server${id}` }))
      log.outcome(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: `server${id}` }))
      await clock.pass(100)
      if (id % 5 === 4) await checkpoints.sign()
    }
    if (end === 'closed') await log.close()
    if (end !== 'killed') await checkpoints.stop()
  }
  clean = { lines: records.lines, attestations: attestations.lines }
  copies = new Map(attestations.lines.map(({ number, text }) => [number, text]))
})

function verify({ lines, attestations }: History): Promise<HistoryFinding> {
  return verifyHistory({
    records: {
      after: (place, limit) => Promise.resolve(lines.filter(({ position }) => position > place).slice(0, limit)),
      ofChain: (chain, from, to) =>
        Promise.resolve(lines.filter((line) => line.chain === chain && line.seq >= from && line.seq <= to)),
    },
    attestations: {
      after: (place, limit) => Promise.resolve(attestations.filter(({ number }) => number > place).slice(0, limit)),
    },
    key,
    copies: { attestations: copies, records: [] },
    page: 20,
  })
}

/** Where lines stand is where they are in the list: who moves them in the database moves their positions. */
const placed = (lines: readonly StoredLine[]) => lines.map((line, index) => ({ ...line, position: index + 1 }))

const nameOf = ({ chain, seq }: { readonly chain: string; readonly seq: number }) => `${chain} ${seq}`

/** A record changed by somebody who knows how hashes are made. */
function forged(line: StoredLine, change: object): StoredLine {
  const record = { ...parseRecord(line.text)!, ...change }
  const hash = hashOf(record)
  const { chain, seq, prev, cluster, object } = record
  return { ...line, chain, seq, prev, cluster, object, hash, text: textOf({ ...record, hash }) }
}

const crimes: Readonly<Record<string, (seeded: Seeded, history: History) => Crime>> = {
  'a byte of a text': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    const text = Buffer.from(lines[at]!.text)
    text[seeded.below(text.length)]! ^= 1 + seeded.below(127)
    return {
      history: { lines: lines.with(at, { ...lines[at]!, text: text.toString('latin1') }), attestations },
      what: ['changed'],
      named: [nameOf(lines[at]!)],
    }
  },
  'a column': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    const changed = seeded.oneOf([
      { object: 'other' },
      { cluster: 'other' },
      { at: 1 },
      { hash: 'f' },
      { prev: 'f' },
      { seq: 999 },
    ])
    return {
      history: { lines: lines.with(at, { ...lines[at]!, ...changed }), attestations },
      what: ['changed'],
      named: [nameOf(lines[at]!)],
    }
  },
  'a record with its hash': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    return {
      history: { lines: lines.with(at, forged(lines[at]!, { object: 'forged' })), attestations },
      what: ['changed'],
      named: [nameOf(lines[at]!)],
    }
  },
  'a record and all after it in its chain': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    const { chain } = lines[at]!
    let prev: string | undefined
    const anew = lines.map((line, index) => {
      if (index < at || line.chain !== chain) return line
      const made = forged(line, index === at ? { object: 'forged' } : { prev })
      prev = made.hash
      return made
    })
    // Which one it was is not known to anybody but whoever did it: it is one behind the last that was signed.
    return { history: { lines: anew, attestations }, what: ['changed'], named: [nameOf(lines[at]!)] }
  },
  'records taken out': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length - 1)
    const isLast = lines[at + 1]!.chain !== lines[at]!.chain
    return {
      history: { lines: placed(lines.toSpliced(at, 1)), attestations },
      what: isLast ? ['cut off'] : ['dropped'],
      named: [nameOf(lines[at]!)],
    }
  },
  'a chain taken out': (seeded, { lines, attestations }) => {
    const chains = [...new Set(lines.map(({ chain }) => chain))]
    const chain = seeded.oneOf(chains)
    return {
      history: { lines: placed(lines.filter((line) => line.chain !== chain)), attestations },
      what: chain === chains.at(-1) ? ['cut off'] : chain === chains[0] ? ['dropped', 'inserted'] : ['dropped'],
      // Without the very first, the second names something that never was.
      named: [`${chain} 0`],
    }
  },
  'the end of a chain': (seeded, { lines, attestations }) => {
    const chain = seeded.oneOf([...new Set(lines.map((line) => line.chain))])
    const last = lines.findLastIndex((line) => line.chain === chain)
    const many = 1 + seeded.below(10)
    return {
      history: { lines: placed(lines.toSpliced(last - many + 1, many)), attestations },
      what: ['cut off'],
      named: [nameOf(lines[last - many + 1]!)],
    }
  },
  'a record put in twice': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    const to = at + 1 + seeded.below(lines.length - at)
    return {
      history: { lines: placed(lines.toSpliced(to, 0, lines[at]!)), attestations },
      what: ['inserted'],
      named: [nameOf(lines[at]!)],
    }
  },
  'a forged record put in': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length - 1)
    const before = lines[at]!
    const made = forged(before, { seq: before.seq + 1, prev: before.hash, phase: 'event', object: 'never was' })
    return {
      history: { lines: placed(lines.toSpliced(at + 1, 0, made)), attestations },
      what: ['inserted'],
      named: [nameOf(made)],
    }
  },
  'a forged chain put in': (seeded, { lines, attestations }) => {
    const ends = lines.flatMap((line, index) => (lines[index + 1]?.chain === line.chain ? [] : [index])).slice(0, -1)
    const at = seeded.oneOf(ends)
    const made = forged(lines[0]!, { chain: 'forged', prev: lines[at]!.hash })
    return {
      history: { lines: placed(lines.toSpliced(at + 1, 0, made)), attestations },
      what: ['inserted'],
      named: ['forged 0'],
    }
  },
  'two records in each other’s place': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length - 1)
    const [a, b] = [lines[at]!, lines[at + 1]!]
    return {
      history: { lines: placed(lines.with(at, b).with(at + 1, a)), attestations },
      what: ['reordered'],
      named: [nameOf(a), nameOf(b)],
    }
  },
  'a record moved within its chain': (seeded, { lines, attestations }) => {
    const at = seeded.below(lines.length)
    const same = lines.flatMap((line, index) => (line.chain === lines[at]!.chain && index !== at ? [index] : []))
    const to = seeded.oneOf(same)
    return {
      history: { lines: placed(lines.toSpliced(at, 1).toSpliced(to, 0, lines[at]!)), attestations },
      what: ['reordered'],
      named: [nameOf(lines[at]!), ...(Math.abs(to - at) === 1 ? [nameOf(lines[to]!)] : [])],
    }
  },
  'an attestation': (seeded, { lines, attestations }) => {
    const at = seeded.below(attestations.length)
    const text = Buffer.from(attestations[at]!.text)
    text[seeded.below(text.length)]! ^= 1 + seeded.below(127)
    return {
      history: { lines, attestations: attestations.with(at, { ...attestations[at]!, text: text.toString('latin1') }) },
      what: ['changed'],
      named: [`attestation ${at + 1}`],
    }
  },
  'an attestation taken out': (seeded, { lines, attestations }) => {
    const at = seeded.below(attestations.length)
    return {
      history: { lines, attestations: attestations.toSpliced(at, 1) },
      what: at === attestations.length - 1 ? ['cut off'] : ['dropped'],
      named: [`attestation ${at + 1}`],
    }
  },
  'two attestations in each other’s place': (seeded, { lines, attestations }) => {
    const at = seeded.below(attestations.length - 1)
    const [a, b] = [attestations[at]!, attestations[at + 1]!]
    const swapped = attestations.with(at, { ...a, text: b.text }).with(at + 1, { ...b, text: a.text })
    return { history: { lines, attestations: swapped }, what: ['reordered'], named: [`attestation ${at + 1}`] }
  },
  'an attestation put in twice': (seeded, { lines, attestations }) => {
    const { text } = seeded.oneOf(attestations)
    const number = attestations.length + 1
    return {
      history: { lines, attestations: [...attestations, { number, text }] },
      what: ['inserted'],
      named: [`attestation ${number}`],
    }
  },
  'the end of everything': (seeded, { lines, attestations }) => {
    // Records and what signed them are cut off together: only a copy elsewhere knows.
    const keep = 1 + seeded.below(attestations.length - 1)
    const end = JSON.parse(attestations[keep - 1]!.text) as { heads: { chain: string; seq: number }[] }
    const last = end.heads.at(-1)!
    const at = lines.findIndex((line) => nameOf(line) === nameOf(last)) + 1
    const next = lines[at]
    return {
      history: { lines: lines.slice(0, at), attestations: attestations.slice(0, keep) },
      what: ['cut off'],
      named: [next === undefined ? `attestation ${keep + 1}` : nameOf(next)],
    }
  },
}

describe('T-tamper', () => {
  test('finds nothing in a history nobody touched, of starts that ended well, were killed, or go on', async () => {
    expect(await verify(clean)).toEqual({
      records: clean.lines.length,
      attestations: clean.attestations.length,
      breach: null,
    })
  })

  test.each(Object.keys(crimes))('finds and names every change of %s', async (kind) => {
    const many = Math.ceil(rounds / Object.keys(crimes).length)
    for (let seed = 0; seed < many; seed += 1) {
      const { history, what, named } = crimes[kind]!(new Seeded(seed), clean)
      const { breach } = await verify(history)
      expect(breach, `seed ${seed}: ${named.join(' or ')} was ${what.join(' or ')}`).not.toBeNull()
      const { chain, seq = 0, upTo = seq, number } = breach!
      const names =
        number === undefined
          ? Array.from({ length: upTo - seq + 1 }, (_, index) => `${chain} ${seq + index}`)
          : [`attestation ${number}`]
      expect(what, `seed ${seed}: ${named.join(' or ')}, told as: ${breach!.message}`).toContain(breach!.what)
      expect(
        names.some((name) => named.includes(name)),
        `seed ${seed}: ${named.join(' or ')} was ${what.join(' or ')}, told as: ${breach!.message}`,
      ).toBe(true)
    }
  })
})
