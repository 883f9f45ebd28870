import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { openAuditLog } from './audit-log.ts'
import type { ChainHead, StoredLine } from './audit-store.ts'
import { auditEntry, hashOf, parseRecord, textOf } from './record.ts'
import { HistoryVerification } from './verification.ts'
import { nothingVerified, verifyHead, verifyLines } from './verify.ts'

let lines: readonly StoredLine[]
let head: ChainHead

/** Three starts: one that ended well, one that was killed, and one that runs. */
beforeAll(async () => {
  const store = new MemoryAuditStore()
  const clock = new ManualClock()
  for (const end of ['closed', 'killed', 'running'] as const) {
    const log = await openAuditLog({ store, clock, random: systemRandom, logger: silentLogger })
    for (let id = 0; id < 10; id += 1) {
      await clock.pass(7)
      await log.intent(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: `server${id}` }))
      log.outcome(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: `server${id}` }))
    }
    if (end === 'closed') await log.close()
    await clock.pass(100)
    head = log.head
  }
  lines = store.lines
})

const check = (changed: readonly StoredLine[]) => verifyHead(verifyLines(nothingVerified, changed), head)

describe('the verification', () => {
  test('finds nothing in a history nobody touched, whole or in pieces', () => {
    expect(check(lines)).toMatchObject({ breach: null, records: lines.length })
    const inPieces = lines.reduce((before, line) => verifyLines(before, [line]), nothingVerified)
    expect(verifyHead(inPieces, head)).toMatchObject({ breach: null, records: lines.length })
    expect(lines).toHaveLength(22 + 21 + 21)
  })

  test('T-fuzz: names the first record that was changed, whatever was changed in it', () => {
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), (index, at, by) => {
        const line = lines[index]!
        const text = Buffer.from(line.text)
        text[at % text.length]! ^= by
        const changed = lines.with(index, { ...line, text: text.toString('latin1') })
        expect(check(changed).breach).toMatchObject({ chain: line.chain, seq: line.seq })
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  test('finds a record that was changed together with its own hash', () => {
    lines.forEach((line, index) => {
      const record = { ...parseRecord(line.text)!, object: 'server9x' }
      const hash = hashOf(record)
      const changed = { ...line, hash, object: record.object, text: textOf({ ...record, hash }) }
      const breach = check(lines.with(index, changed)).breach
      expect(breach, `record ${index}`).not.toBeNull()
    })
  })

  test.each(['chain', 'hash', 'prev', 'cluster', 'object', 'at', 'seq', 'quiet'] as const)(
    'finds a column %s that does not say what the record says',
    (column) => {
      const line = lines[5]!
      const other = {
        chain: 'other',
        hash: 'f',
        prev: 'f',
        cluster: 'other',
        object: 'other',
        at: 1,
        seq: 99,
        quiet: true,
      }
      expect(check(lines.with(5, { ...line, [column]: other[column] })).breach).not.toBeNull()
    },
  )

  test('finds any record that was left out', () => {
    for (let index = 0; index < lines.length; index += 1) {
      expect(check(lines.toSpliced(index, 1)).breach, `without record ${index}`).not.toBeNull()
    }
  })

  test('finds any record that was put in twice', () => {
    for (let index = 0; index < lines.length; index += 1) {
      expect(check(lines.toSpliced(index, 0, lines[index]!)).breach, `record ${index} twice`).not.toBeNull()
    }
  })

  test('finds any two records that changed places', () => {
    for (let index = 1; index < lines.length; index += 1) {
      const swapped = lines.with(index, lines[index - 1]!).with(index - 1, lines[index]!)
      expect(check(swapped).breach, `records ${index - 1} and ${index}`).not.toBeNull()
    }
  })

  test('finds an end that was cut off, of every start', () => {
    for (let length = 0; length < lines.length; length += 1) {
      expect(check(lines.slice(0, length)).breach, `only ${length} records`).not.toBeNull()
    }
    const endOfFirst = lines.findIndex(({ chain }) => chain !== lines[0]!.chain)
    for (let cut = 1; cut <= endOfFirst; cut += 1) {
      expect(check(lines.toSpliced(endOfFirst - cut, cut)).breach, `${cut} cut off the first chain`).not.toBeNull()
    }
  })

  test('finds a chain that was taken out whole', () => {
    const chains = [...new Set(lines.map(({ chain }) => chain))]
    for (const gone of chains) expect(check(lines.filter(({ chain }) => chain !== gone)).breach).not.toBeNull()
  })

  test('finds what was added after the end of a chain', async () => {
    const store = new MemoryAuditStore()
    const log = await openAuditLog({ store, clock: new ManualClock(), random: systemRandom, logger: silentLogger })
    await log.close()
    const { chain, seq, hash } = log.head
    const record = { ...parseRecord(store.lines[0]!.text)!, phase: 'event' as const, chain, seq: seq + 1, prev: hash }
    await store.append([{ ...record, hash: hashOf(record) }])
    expect(verifyLines(nothingVerified, store.lines).breach?.message).toContain('after the end of its chain')
  })

  test('checks nothing after the first breach, and says which record it is', () => {
    const broken = check(lines.with(3, { ...lines[3]!, text: '{}' }))
    expect(broken.breach?.message).toBe(`Record 3 of chain ${lines[0]!.chain} was changed: the text is not a record`)
    expect(verifyLines(broken, lines)).toBe(broken)
  })
})

const nothingSigned = {
  attestations: { after: () => Promise.resolve([]) },
  key: generateKeyPairSync('ed25519').publicKey,
}

describe('the verification behind the list', () => {
  test('reports the whole history, again after an hour, and what was found', async () => {
    const clock = new ManualClock()
    let stored = lines
    const store = {
      after: (position: number, limit: number) =>
        Promise.resolve(stored.filter((line) => line.position > position).slice(0, limit)),
      ofChain: () => Promise.resolve([]),
    }
    const verification = new HistoryVerification({
      store,
      ...nothingSigned,
      head: () => head,
      clock,
      logger: silentLogger,
    })
    expect(verification.report).toBeNull()
    verification.start()
    await clock.pass(1000)
    expect(verification.report).toMatchObject({ ok: true, records: lines.length, message: null })
    stored = lines.toSpliced(4, 1)
    await clock.pass(3_600_000)
    expect(verification.report).toMatchObject({ ok: false, records: 4 })
    expect(verification.report?.message).toContain('Record 4 of chain')
    await verification.stop()
  })

  test('keeps its last report while the store cannot be read', async () => {
    const clock = new ManualClock()
    let fails = false
    const store = {
      ofChain: () => Promise.resolve([]),
      after: () => (fails ? Promise.reject(new Error('gone')) : Promise.resolve([])),
    }
    const verification = new HistoryVerification({
      store,
      ...nothingSigned,
      head: () => ({ chain: 'c', seq: 0, hash: 'h' }),
      clock,
      logger: silentLogger,
    })
    verification.start()
    await clock.pass(10)
    const first = verification.report
    fails = true
    await clock.pass(3_600_000)
    expect(first).toMatchObject({
      ok: false,
      message: 'Record 0 of chain c was cut off: it was written and is missing',
    })
    expect(verification.report).toBe(first)
    await verification.stop()
  })
})
