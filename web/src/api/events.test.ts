import type { ClusterEvent, EventEntry } from '@malleus/shared/api/events.ts'
import { describe, expect, test } from 'vitest'
import { withEvents, type EventLog } from './events.ts'

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 6, 0, second)).toISOString()
const event = (seq: number, second = seq): ClusterEvent => ({
  kind: 'event',
  seq,
  type: 'lifecycle',
  at: at(second),
  heardAt: at(second),
  location: 'server1',
  project: 'default',
  action: 'profile-updated',
  source: `/1.0/profiles/p${second}`,
  description: null,
  who: null,
  raw: { timestamp: at(second) },
})
const reply = (entries: readonly EventEntry[], fields: object = {}) => ({
  position: `e-${entries.at(-1)?.seq ?? 0}`,
  continues: true,
  entries: [...entries],
  since: at(0),
  listening: ['server1', 'server2'],
  deafSince: null,
  ...fields,
})
const told = (log: EventLog) =>
  log.entries.map((entry) => (entry.kind === 'gap' ? [entry.n, entry.from, entry.to] : [entry.n, entry.source]))

describe('the log of events', () => {
  test('grows by what came, and keeps what it had', () => {
    const first = withEvents(undefined, reply([event(1), event(2)]))
    const second = withEvents(first, reply([event(3)]))
    expect(told(second)).toEqual([
      [1, '/1.0/profiles/p1'],
      [2, '/1.0/profiles/p2'],
      [3, '/1.0/profiles/p3'],
    ])
    expect([second.entries[0], second.position]).toEqual([first.entries[0], 'e-3'])
  })

  test('keeps its entries as they are when nothing came, with who is listened to now', () => {
    const first = withEvents(undefined, reply([event(1)]))
    const second = withEvents(first, reply([], { position: 'e-1', listening: [], deafSince: at(9) }))
    expect(second.entries).toBe(first.entries)
    expect([second.listening, second.deafSince]).toEqual([[], at(9)])
  })

  test('shows a gap where the console began to listen anew', () => {
    const first = withEvents(undefined, reply([event(1), event(2)]))
    const anew = withEvents(first, reply([event(1, 20)], { continues: false, since: at(15), position: 'f-1' }))
    expect(told(anew)).toEqual([
      [1, '/1.0/profiles/p1'],
      [2, '/1.0/profiles/p2'],
      [3, at(2), at(20)],
      [4, '/1.0/profiles/p20'],
    ])
  })

  test('shows the gap up to when it listened again, where nothing came since', () => {
    const first = withEvents(undefined, reply([event(1)]))
    const anew = withEvents(first, reply([], { continues: false, since: at(15), position: 'f-0' }))
    expect(told(anew).slice(1)).toEqual([[2, at(1), at(15)]])
  })

  test('tells once, and without a gap, what another console heard too', () => {
    const first = withEvents(undefined, reply([event(1), event(2), event(3)]))
    const other = withEvents(
      first,
      reply([event(7, 2), event(8, 3), event(9, 4)], { continues: false, position: 'f-9' }),
    )
    expect(told(other)).toEqual([
      [1, '/1.0/profiles/p1'],
      [2, '/1.0/profiles/p2'],
      [3, '/1.0/profiles/p3'],
      [4, '/1.0/profiles/p4'],
    ])
  })

  test('keeps five thousand', () => {
    let log = withEvents(undefined, reply([event(1)]))
    for (let at = 2; at < 9_000; at += 500) {
      log = withEvents(log, reply(Array.from({ length: 500 }, (_, more) => event(at + more))))
    }
    expect(log.entries).toHaveLength(5_000)
    expect(new Set(log.entries.map(({ n }) => n)).size).toBe(5_000)
  })
})
