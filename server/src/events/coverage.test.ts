import { describe, expect, it } from 'vitest'
import { frameArrived, nothingCovered, streamClosed, streamOpened } from './coverage.ts'

function after(...steps: readonly [what: 'open' | 'frame' | 'close', stream: string, at: number][]) {
  let coverage = nothingCovered
  const holes: object[] = []
  for (const [what, stream, at] of steps) {
    if (what === 'frame') {
      coverage = frameArrived(coverage, stream, at)
      continue
    }
    const step = what === 'open' ? streamOpened(coverage, stream, at) : streamClosed(coverage, stream)
    coverage = step.coverage
    if (step.hole) holes.push(step.hole)
  }
  return { until: coverage.until, holes }
}

describe('coverage', () => {
  it('begins with the first stream, and what came before is no hole', () => {
    expect(after(['open', 'a', 100])).toEqual({ until: 100, holes: [] })
  })

  it('grows with every frame', () => {
    expect(after(['open', 'a', 100], ['frame', 'a', 160]).until).toBe(160)
  })

  it('has no hole while a second stream that reaches back stays open', () => {
    expect(
      after(['open', 'a', 0], ['open', 'b', 5], ['frame', 'a', 50], ['close', 'a', 60], ['frame', 'b', 70]),
    ).toEqual({ until: 70, holes: [] })
  })

  it('has a hole from the last frame of the only stream to the opening of the next', () => {
    expect(after(['open', 'a', 0], ['frame', 'a', 40], ['close', 'a', 60], ['open', 'b', 75]).holes).toEqual([
      { from: 40, to: 75 },
    ])
  })

  it('finds a hole late when the stream that seemed to cover it turns out to have been silent', () => {
    const before = after(['open', 'a', 0], ['frame', 'a', 40], ['open', 'b', 90])
    expect(before.holes).toEqual([])
    expect(after(['open', 'a', 0], ['frame', 'a', 40], ['open', 'b', 90], ['close', 'a', 95])).toEqual({
      until: 90,
      holes: [{ from: 40, to: 90 }],
    })
  })

  it('does not count frames of a stream that began after a possible hole', () => {
    expect(after(['open', 'a', 0], ['frame', 'a', 10], ['open', 'b', 50], ['frame', 'b', 80]).until).toBe(10)
  })

  it('ignores frames of streams that are not open', () => {
    expect(after(['open', 'a', 0], ['frame', 'z', 10]).until).toBe(0)
  })

  it('stays as it was while nobody listens', () => {
    expect(after(['open', 'a', 0], ['frame', 'a', 30], ['close', 'a', 40])).toEqual({ until: 30, holes: [] })
  })
})
