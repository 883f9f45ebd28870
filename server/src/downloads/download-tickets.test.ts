import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { systemRandom } from '../lib/random.ts'
import { DownloadTickets } from './download-tickets.ts'

let clock: ManualClock
let tickets: DownloadTickets
const file = (name: string) => ({ name, type: 'text/plain', pieces: async function* () {}, ended: () => undefined })
const ticketOf = (path: string) => path.replace('/d/', '')

beforeEach(() => {
  clock = new ManualClock()
  tickets = new DownloadTickets({ clock, random: systemRandom })
})

describe('a ticket', () => {
  test('is good once', () => {
    const ticket = ticketOf(tickets.give('mine', file('a')))
    expect(tickets.take(ticket, 'mine')?.name).toBe('a')
    expect(tickets.take(ticket, 'mine')).toBeUndefined()
  })

  test('has 256 bits that say nothing', () => {
    const [a, b] = [tickets.give('mine', file('a')), tickets.give('mine', file('a'))]
    expect(Buffer.from(ticketOf(a), 'base64url')).toHaveLength(32)
    expect(a).not.toBe(b)
  })

  test('of another session is none, and is not used up by who tried it', () => {
    const ticket = ticketOf(tickets.give('mine', file('a')))
    expect(tickets.take(ticket, 'theirs')).toBeUndefined()
    expect(tickets.take(ticket, 'mine')?.name).toBe('a')
  })

  test('is good for half a minute, or as long as was said', async () => {
    const short = ticketOf(tickets.give('mine', file('a')))
    const long = ticketOf(tickets.give('mine', file('b'), 60_000))
    await clock.pass(30_000)
    expect(tickets.take(short, 'mine')).toBeUndefined()
    expect(tickets.take(long, 'mine')?.name).toBe('b')
  })

  test('makes room for a newer one when there are too many', () => {
    const [first] = Array.from({ length: 1_001 }, () => ticketOf(tickets.give('mine', file('a'))))
    expect(tickets.take(first ?? '', 'mine')).toBeUndefined()
    expect(tickets.take(ticketOf(tickets.give('mine', file('z'))), 'mine')?.name).toBe('z')
  })
})
