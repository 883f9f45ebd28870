import { describe, expect, test } from 'vitest'
import type { Visit } from './access-path.ts'
import type { TurnedAway } from './waiting-clients.ts'
import { clientsAfter, patienceMs, quantile } from './waiting-clients.ts'

const at = (startedAt: number, end: Visit['end'], round = 1): Visit => ({
  round,
  startedAt,
  address: '10.20.0.11',
  end,
  certificate: null,
  incusBehind: null,
})
const answered = (ms: number): Visit['end'] => ({ kind: 'answered', server: null, recognised: null, ms })
const failed = (how: 'refused' | 'silent', ms: number, pending = false): Visit['end'] => ({
  kind: 'failed',
  how,
  phase: 'connect',
  message: '',
  ms,
  pending,
})
const away = (startedAt: number, waitedMs: number, round = 1): TurnedAway => ({ startedAt, waitedMs, round })

describe('a new client', () => {
  test('that is answered waited for as long as that took', () => {
    expect(clientsAfter('ecmp', [], at(0, answered(6)), 6)).toEqual({
      turnedAway: [],
      done: [{ startedAt: 0, waitedMs: 6, answered: true }],
    })
  })

  test('that hears nothing goes on waiting', () => {
    expect(clientsAfter('dns', [], at(0, failed('silent', 1_000, true)), 1_000)).toEqual({ turnedAway: [], done: [] })
  })

  test('that heard nothing to the end got no answer', () => {
    const { done } = clientsAfter('dns', [], at(0, failed('silent', 36_000)), 36_000)
    expect(done).toEqual([{ startedAt: 0, waitedMs: 36_000, answered: false }])
  })

  test('of a name, when it is turned away, goes on to the next address at once', () => {
    const { turnedAway } = clientsAfter('dns', [], at(0, failed('refused', 2)), 2)
    const { done } = clientsAfter('dns', turnedAway, at(0, answered(6)), 6)
    expect(done.map(({ waitedMs }) => waitedMs)).toEqual([8, 6])
  })

  test('of an address, when it is turned away, has its answer with the next that gets one', () => {
    const { turnedAway } = clientsAfter('floating-ip', [], at(0, failed('refused', 2)), 2)
    const { done } = clientsAfter('floating-ip', turnedAway, at(1_000, answered(6), 2), 1_006)
    expect(done.map(({ waitedMs }) => waitedMs)).toEqual([1_006, 6])
  })

  test('that is turned away for long gives up', () => {
    const late = at(patienceMs + 1, failed('refused', 2), 40)
    const { done, turnedAway } = clientsAfter('member', [away(0, 2)], late, patienceMs + 3)
    expect(done).toEqual([{ startedAt: 0, waitedMs: patienceMs, answered: false }])
    expect(turnedAway).toHaveLength(1)
  })
})

test.each([
  [[], 0.5, null],
  [[7], 0.99, 7],
  [[3, 1, 2], 0.5, 2],
  [Array.from({ length: 100 }, (_, n) => n), 0.99, 99],
])('of %j, the quantile %d is %d', (values, part, expected) => {
  expect(quantile(values, part)).toBe(expected)
})
