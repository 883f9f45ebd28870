import { describe, expect, it } from 'vitest'
import { judgeFlatness, warmUpMinutes } from './flatness.ts'

/** An hour of samples that rise and shake. */
function hour(rise: number, shake: number) {
  return Array.from({ length: 360 }, (_, index) => {
    const at = index / 360
    return { at, value: 50 + rise * at + shake * Math.sin(index * index) }
  })
}

describe('flat', () => {
  it.each([
    ['nothing rises', hour(0, 0), 'kept'],
    ['it falls', hour(-5, 1), 'kept'],
    ['it shakes around one place', hour(0, 1), 'kept'],
    ['it rises slower than allowed', hour(1, 0.5), 'kept'],
    ['it rises faster than allowed', hour(10, 1), 'missed'],
    ['five samples that shake', hour(0, 20).slice(0, 5), 'undecided'],
    ['no samples', [], 'undecided'],
  ])('%s: %#', (_, samples, verdict) => {
    expect(judgeFlatness(samples, 2).verdict).toBe(verdict)
  })
})

describe('warm-up', () => {
  it.each([
    [60, 20],
    [30, 10],
    [15, 5],
  ])('of %d minutes the first %d are left out', (run, left) => {
    expect(warmUpMinutes(run)).toBe(left)
  })
})
