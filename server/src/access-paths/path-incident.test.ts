import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { describe, expect, test } from 'vitest'
import { instant } from '../lib/clock.ts'
import { failureCosts } from './failure-costs.ts'
import type { KeptPathIncident } from './path-incident.ts'
import {
  beginPathIncident,
  continuePathIncident,
  KeptPathIncident as Kept,
  viewOf,
  withClient,
  withWaiting,
} from './path-incident.ts'

const fault = Date.UTC(2026, 10, 22, 6)

const incident = (more: Partial<IncidentSummary> = {}): IncidentSummary => ({
  id: 'i1',
  member: 'server3',
  beganAt: instant(fault + 700),
  beginning: 'seen',
  lastAnswerAt: instant(fault),
  end: null,
  quietSince: null,
  symptom: 'stuck',
  worst: 'ejected',
  relapses: 0,
  outMs: 0,
  requests: { total: 0, hedged: 0, failed: 0, slowed: 0 },
  cluster: { atFirst: null, offlineAt: null, onlineAt: null },
  panic: false,
  gaps: [],
  ...more,
})

const client = (startedAt: number, waitedMs: number, answered = true) => ({
  startedAt: fault + startedAt,
  waitedMs,
  answered,
})

function after(...clients: ReturnType<typeof client>[]): KeptPathIncident {
  return clients.reduce(withClient, beginPathIncident('lb', incident()))
}

describe('an incident on a path', () => {
  test('counts clients that began after the last answer of the server', () => {
    const kept = after(client(-100, 5), client(100, 3_300), client(1_000, 2_400), client(4_000, 6))
    expect(kept).toMatchObject({ clients: 3, worstMs: 3_300, medianMs: 2_400, unanswered: false })
  })

  test('is over for new clients when the last one that was held up has its answer', () => {
    expect(after(client(100, 3_300), client(1_000, 2_500), client(4_000, 6)).goodAfterMs).toBe(3_500)
  })

  test('held nobody up where all were answered at once', () => {
    expect(after(client(100, 4), client(1_000, 5)).goodAfterMs).toBeNull()
  })

  test('says when somebody got no answer at all', () => {
    expect(after(client(100, 36_000, false))).toMatchObject({ unanswered: true, worstMs: 36_000 })
  })

  test('still takes a client that began before its end and has its answer later', () => {
    const over = continuePathIncident(after(), incident({ quietSince: instant(fault + 10_000) }))
    expect(withClient(over, client(9_000, 8_000)).clients).toBe(1)
    expect(withClient(over, client(11_000, 6)).clients).toBe(0)
  })

  test('counts who still waits while it goes on, and says that it may be longer', () => {
    expect(withWaiting(after(client(100, 5)), 7_000)).toMatchObject({ worstMs: 7_000, unanswered: true, clients: 2 })
    expect(withWaiting(after(client(100, 9_000)), 7_000)).toMatchObject({ worstMs: 9_000, unanswered: false })
    const over = continuePathIncident(after(), incident({ quietSince: instant(fault + 10_000) }))
    expect(withWaiting(over, 7_000)).toBe(over)
  })

  test('that relapses goes on', () => {
    const quiet = continuePathIncident(after(), incident({ quietSince: instant(fault + 10_000) }))
    expect(continuePathIncident(quiet, incident()).endedAt).toBeNull()
  })

  test('is kept as it is, and shown without what is only for counting', () => {
    const kept = after(client(100, 3_300))
    expect(Kept.parse(JSON.parse(JSON.stringify(kept)))).toEqual(kept)
    expect(viewOf(kept)).not.toHaveProperty('waits')
  })
})

describe('what a failing server costs', () => {
  test('is an estimate until there was an incident, and says so', () => {
    const stuck = failureCosts('dns', []).find(({ failure }) => failure === 'stuck')
    expect(stuck).toMatchObject({ from: 'estimated', worstMs: 31_000, clients: 0, incidents: [] })
  })

  test('is what was measured from the first incident on, of its own kind only', () => {
    const costs = failureCosts('load-balancer', [after(client(100, 3_300), client(1_000, 5), client(2_000, 4))])
    expect(costs.find(({ failure }) => failure === 'stuck')).toMatchObject({
      from: 'measured',
      medianMs: 5,
      worstMs: 3_300,
      clients: 3,
      incidents: [instant(fault + 700)],
    })
    expect(costs.find(({ failure }) => failure === 'refusing')?.from).toBe('estimated')
  })

  test('has no estimate where nothing takes over', () => {
    expect(failureCosts('member', []).map(({ worstMs }) => worstMs)).toEqual([null, null, null])
  })
})
