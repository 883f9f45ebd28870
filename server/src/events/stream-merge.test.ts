import { IncusEvent } from '@malleus/shared/incus/event.ts'
import { describe, expect, it } from 'vitest'
import { Seeded } from '../../testing/seeded.ts'
import type { Merged } from './stream-merge.ts'
import { StreamMerge } from './stream-merge.ts'

/** The number of an event is when it was sent. */
function event(number: number) {
  return IncusEvent.parse({
    type: 'lifecycle',
    timestamp: new Date(number).toISOString(),
    location: 'server1',
    metadata: { action: 'profile-updated', source: `/1.0/profiles/p${number}` },
  })
}

type Step =
  | readonly ['open' | 'close', string, number]
  | readonly ['event', string, number, number?]
  | readonly ['ping', string, number]

/** Numbers of events as they are told, and gaps as `from-to`. An event arrives when it is sent, unless said otherwise. */
function told(...steps: readonly Step[]): (number | string)[] {
  const merge = new StreamMerge()
  merge.begin(0)
  return steps.flatMap(([what, name, at, arrivesAt]) => {
    switch (what) {
      case 'open':
        return shown(merge.opened(name, at))
      case 'close':
        return shown(merge.closed(name))
      case 'event':
        return shown(merge.heard(name, event(at), arrivesAt ?? at, at))
      case 'ping':
        merge.alive(name, at)
        return []
      default:
        throw new TypeError(`there is no step ${String(what)}`)
    }
  })
}

function shown(merged: readonly Merged[]): (number | string)[] {
  return merged.map((one) => (one.kind === 'gap' ? `${one.from}-${one.to}` : Date.parse(one.event.timestamp)))
}

describe('streams that are made one', () => {
  it('begin with a gap, from when somebody asked to when the first one opened', () => {
    expect(told(['open', 'a', 50], ['event', 'a', 60])).toEqual(['0-50', 60])
  })

  it('tell what two of them bring once', () => {
    expect(
      told(
        ['open', 'a', 0],
        ['open', 'b', 0],
        ['event', 'a', 1],
        ['event', 'b', 1],
        ['event', 'b', 2],
        ['event', 'a', 2],
      ),
    ).toEqual([1, 2])
  })

  it('tell once what one of them repeats', () => {
    expect(told(['open', 'a', 0], ['event', 'a', 1], ['event', 'a', 1])).toEqual([1])
  })

  it('have no gap while one that stands where the whole stands goes on', () => {
    expect(
      told(
        ['open', 'a', 0],
        ['open', 'b', 0],
        ['event', 'a', 1],
        ['event', 'b', 1],
        ['close', 'a', 2],
        ['event', 'b', 3],
      ),
    ).toEqual([1, 3])
  })

  it('have none while nothing happened and both were alive', () => {
    expect(told(['open', 'a', 0], ['open', 'b', 5], ['ping', 'a', 10], ['close', 'a', 11], ['event', 'b', 12])).toEqual(
      [12],
    )
  })

  it('have one from the last frame of the only one to the opening of the next', () => {
    expect(
      told(['open', 'a', 0], ['event', 'a', 40], ['close', 'a', 60], ['open', 'b', 75], ['event', 'b', 80]),
    ).toEqual([40, '40-75', 80])
  })

  it('keep back what a new one brings until the others have brought it too', () => {
    const until = [
      ['open', 'a', 0],
      ['event', 'a', 1],
      ['open', 'b', 10],
      ['event', 'b', 12],
    ] as const
    expect(told(...until)).toEqual([1])
    // The first one was stopped for a moment, and goes on where it was.
    expect(
      told(...until, ['event', 'a', 5, 20], ['event', 'a', 12, 20], ['event', 'b', 21], ['event', 'a', 21]),
    ).toEqual([1, 5, 12, 21])
  })

  it('take from a new one what the others have missed', () => {
    expect(
      told(
        ['open', 'a', 0],
        ['event', 'a', 1],
        ['open', 'b', 10],
        ['event', 'b', 12],
        ['event', 'b', 13],
        ['event', 'a', 13],
        ['event', 'a', 14],
      ),
    ).toEqual([1, 12, 13, 14])
  })

  it('find a gap late when what seemed to go on was not heard of again', () => {
    expect(
      told(
        ['open', 'a', 0],
        ['event', 'a', 1],
        ['open', 'b', 10],
        ['event', 'b', 12],
        ['event', 'b', 13],
        ['close', 'a', 20],
      ),
    ).toEqual([1, '1-10', 12, 13])
  })

  it('find one also when the last that came of it was late', () => {
    expect(
      told(
        ['open', 'a', 0],
        ['event', 'a', 1],
        ['open', 'b', 10],
        ['event', 'b', 12],
        ['event', 'a', 3, 15],
        ['close', 'a', 16],
      ),
    ).toEqual([1, 3, '3-10', 12])
  })

  it('know which of them are behind, while something is held back', () => {
    const merge = new StreamMerge()
    merge.begin(0)
    merge.opened('a', 0)
    merge.opened('b', 1)
    expect(merge.behind('b')).toEqual([])
    merge.heard('b', event(2), 2, 2)
    expect(merge.behind('b')).toEqual(['a'])
    merge.heard('a', event(2), 3, 2)
    expect(merge.behind('b')).toEqual([])
  })

  it('ignore what comes from one that is not open', () => {
    expect(told(['open', 'a', 0], ['event', 'z', 1], ['ping', 'z', 2])).toEqual([])
  })
})

describe('T-fuzz: streams that open, lag, and end at random', () => {
  const cases = process.env['MALLEUS_LONG'] === '1' ? 10_000 : 500

  it(`tell every event once and in order, or within a gap, in ${cases} cases`, () => {
    for (let seed = 1; seed <= cases; seed += 1) {
      const { sent, merged } = play(seed)
      const numbers = merged.flatMap((one) => (one.kind === 'event' ? [Date.parse(one.event.timestamp)] : []))
      expect(numbers, `seed ${seed}`).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
      const gaps = merged.filter((one) => one.kind === 'gap')
      const lost = sent.filter(
        (number) => !numbers.includes(number) && !gaps.some(({ from, to }) => from <= number && number <= to),
      )
      expect(lost, `seed ${seed}`).toEqual([])
    }
  })
})

/** A cluster that says a number at a time to whoever listens; its streams arrive with delays of their own. */
function play(seed: number): { sent: readonly number[]; merged: readonly Merged[] } {
  const chance = new Seeded(seed)
  const merge = new StreamMerge()
  const merged: Merged[] = []
  const sent: number[] = []
  const underWay = new Map<string, number[]>()
  merge.begin(0)
  for (let at = 1; at < 200; at += 1) {
    const name = `s${chance.below(3)}`
    const waiting = underWay.get(name)
    const choice = chance.fraction()
    if (choice < 0.45) {
      sent.push(at)
      for (const queue of underWay.values()) queue.push(at)
    } else if (waiting === undefined) {
      underWay.set(name, [])
      merged.push(...merge.opened(name, at))
    } else if (choice < 0.53) {
      underWay.delete(name)
      merged.push(...merge.closed(name))
    } else {
      for (const number of waiting.splice(0, 1 + chance.below(4)))
        merged.push(...merge.heard(name, event(number), at, number))
    }
  }
  // In the end everything that listens is heard, and what holds others back is let go.
  merged.push(...merge.opened('last', 1_000))
  for (const [name, waiting] of underWay)
    for (const number of waiting) merged.push(...merge.heard(name, event(number), 1_001, number))
  for (const name of underWay.keys()) merged.push(...merge.closed(name))
  return { sent, merged }
}
