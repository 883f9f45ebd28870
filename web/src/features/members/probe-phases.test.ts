import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import { expect, test } from 'vitest'
import { failedAlike, phaseBars, phaseName, totalMs } from './probe-phases.ts'

const probe = (connectMs: number | null, tlsMs: number | null, firstByteMs: number | null): ProbeRecord => ({
  at: '2026-11-22T06:12:00.000Z',
  kind: 'cold',
  connectMs,
  tlsMs,
  firstByteMs,
  failure: null,
})

test('phases follow each other without a gap, on one scale for all probes', () => {
  const bars = phaseBars(probe(20, 60, 420))
  expect(bars.map(({ phase }) => phase)).toEqual(['connect', 'tls', 'answer'])
  expect(bars.map(({ from, width }) => [Math.round(from), Math.round(width)])).toEqual([
    [0, 10],
    [10, 10],
    [20, 30],
  ])
})

test('a phase that was not reached has no bar; a very short one can still be seen', () => {
  expect(phaseBars(probe(0.001, null, null))).toMatchObject([{ phase: 'connect', width: 0.6 }])
  expect(phaseBars(probe(null, null, null))).toEqual([])
})

test('nothing is longer than the scale', () => {
  const [bar] = phaseBars(probe(null, null, 60_000))
  expect(bar).toMatchObject({ from: 0, width: 100 })
})

test('the answer time is the sum of what was reached', () => {
  expect(totalMs(probe(null, null, 3.5))).toBe(3.5)
  expect(totalMs(probe(1, 2, 3))).toBe(6)
  expect(totalMs(probe(null, null, null))).toBeNull()
})

test.each([
  ['tls', 'TLS'],
  ['answer', 'Answer'],
  ['quantum', 'quantum'],
])('a probe that failed in phase "%s" says "%s"', (phase, name) => {
  expect(phaseName(phase)).toBe(name)
})

test.each<[string, ProbeRecord['failure'], ProbeRecord['failure'] | undefined, boolean]>([
  ['it is the first', { phase: 'tls', message: 'a' }, undefined, false],
  ['the other succeeded', { phase: 'tls', message: 'a' }, null, false],
  ['both succeeded', null, null, false],
  ['the phase differs', { phase: 'tls', message: 'a' }, { phase: 'connect', message: 'a' }, false],
  ['the words differ', { phase: 'tls', message: 'a' }, { phase: 'tls', message: 'b' }, false],
  ['both are the same', { phase: 'tls', message: 'a' }, { phase: 'tls', message: 'a' }, true],
])('whether a probe failed like the one above, when %s', (_, failure, other, alike) => {
  const one = { ...probe(1, null, null), failure }
  expect(failedAlike(one, other === undefined ? undefined : { ...probe(1, null, null), failure: other })).toBe(alike)
})
