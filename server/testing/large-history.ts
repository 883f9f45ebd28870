// A history of any length as the search finds it: rows and what is noted of them, put straight into the databases, which
// takes minutes where writing and noting each record takes an hour. The values are spread as people spread: a few do most.

import { openDatabase } from '../src/database/database.ts'
import { HistorySearch } from '../src/audit/history-search.ts'
import { SqliteAuditStore } from '../src/audit/audit-store.sqlite.ts'
import { auditEntry, incusActor, noHash, placeRecord, requestOf, throughMember } from '../src/audit/record.ts'
import { SqliteSearchStore } from '../src/audit/search-store.sqlite.ts'
import { minuteOf, searchRules, talliesOf, termsOf } from '../src/audit/search-terms.ts'
import type { Tally } from '../src/audit/search-store.ts'
import { systemClock } from '../src/lib/clock.ts'

export interface LargeHistory {
  readonly search: HistorySearch
  /** Milliseconds since 1970 of the last record. */
  readonly endsAt: number
  close(): Promise<void>
}

const PIECE = 20_000
/** One record every so often: ten million of them are four months. */
const EVERY_MS = 1_000

/** Fills both databases of a folder with so many records and opens what asks them. */
export async function openLargeHistory(folder: string, records: number, endsAt: number): Promise<LargeHistory> {
  const audit = await openDatabase(folder, 'audit', { deadlineMs: 600_000 })
  const found = await openDatabase(folder, 'search', { deadlineMs: 600_000 })
  const history = new SqliteAuditStore(audit)
  const store = new SqliteSearchStore(found)
  await store.forget(searchRules)
  const ids = new Map<string, number>()
  for (let first = 0; first < records; first += PIECE) {
    const many = Math.min(PIECE, records - first)
    await fillPiece({ history, store, ids, first, many, begun: endsAt - records * EVERY_MS })
  }
  const search = new HistorySearch({ history, store, index: { position: records }, clock: systemClock })
  return {
    search,
    endsAt,
    close: async () => {
      await Promise.all([audit.close(), found.close()])
    },
  }
}

interface Piece {
  readonly history: SqliteAuditStore
  readonly store: SqliteSearchStore
  readonly ids: Map<string, number>
  readonly first: number
  readonly many: number
  readonly begun: number
}

async function fillPiece({ history, store, ids, first, many, begun }: Piece): Promise<void> {
  const records = Array.from({ length: many }, (_, index) => recordOf(first + index, begun))
  const terms = records.map(termsOf)
  const unknown = new Map(terms.flat().map((term) => [`${term.field} ${term.value}`, term]))
  for (const key of unknown.keys()) if (ids.has(key)) unknown.delete(key)
  const fresh = await store.idsOf([...unknown.values()])
  ;[...unknown.keys()].forEach((key, at) => ids.set(key, fresh[at] ?? 0))
  const postings = terms.flatMap((said, index) =>
    said.map(({ field, value }) => [ids.get(`${field} ${value}`) ?? 0, first + index + 1] as const),
  )
  const tallies = new Map<string, Tally>()
  for (const [index, record] of records.entries()) {
    const views = (terms[index] ?? []).filter(({ field }) => field === 'view').map(({ value }) => value)
    for (const tally of talliesOf(record, views)) {
      const key = JSON.stringify({ ...tally, records: 0 })
      tallies.set(key, { ...tally, records: (tallies.get(key)?.records ?? 0) + 1 })
    }
  }
  const minutes = new Map<number, number>()
  for (const [index, record] of records.entries()) {
    const minute = minuteOf(record)
    if (!minutes.has(minute)) minutes.set(minute, first + index + 1)
  }
  await Promise.all([
    history.append(records),
    store.add({
      postings: [...postings]
        .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
        .map(([term, position]) => ({ term, position })),
      minutes: [...minutes].map(([minute, position]) => ({ minute, position })),
      tallies: [...tallies.values()],
      position: first + many,
    }),
  ])
}

/** Records as a console of a busy cluster has them. One in a hundred was refused, one in two hundred is about trust. */
function recordOf(index: number, begun: number) {
  const draw = spread(index)
  const who = `person${Math.floor(200 * draw(1) ** 2)}@example.net`
  const object = `instance-${Math.floor(5_000 * draw(2) ** 2)}`
  const member = `server${1 + Math.floor(20 * draw(3))}`
  const isTrust = draw(5) < 0.005
  const entry = auditEntry({
    source: 'incus',
    action: isTrust ? 'certificate-updated' : (deeds[Math.floor(deeds.length * draw(4))] ?? 'instance-started'),
    cluster: `cluster${Math.floor(3 * draw(6))}`,
    object,
    actor: incusActor(who, draw(7) < 0.5 ? 'tls' : 'oidc'),
    src: { ip: `10.20.${Math.floor(8 * draw(8))}.${Math.floor(250 * draw(9))}`, via: null },
    req: requestOf({
      id: `${member}@${index}`,
      method: '',
      route: '',
      path: `/1.0/instances/${object}`,
      project: 'default',
    }),
    up: throughMember(member, who),
    decision: { allow: draw(10) >= 0.01, rule: 'incus' },
  })
  const ts = new Date(begun + index * EVERY_MS).toISOString()
  return placeRecord(entry, 'event', ts, { chain: 'large', seq: index, prev: noHash })
}

const deeds = [
  'instance-started',
  'instance-stopped',
  'instance-updated',
  'instance-exec',
  'request.read',
  'request.change',
]

/** Numbers from 0 to 1 that look like chance and are the same each time. */
function spread(index: number): (of: number) => number {
  return (of) => {
    let mixed = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(of, 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
