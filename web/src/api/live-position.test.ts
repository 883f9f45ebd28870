import { describe, expect, test } from 'vitest'
import type { StreamEvent } from './event-stream.ts'
import { placeOf, recentAfter, withRecent, type Place, type RecentEvents } from './live-position.ts'

test.each<[string, string | null, Place]>([
  ['e-1', 'e-0', 'next'],
  ['e-10', 'e-9', 'next'],
  ['e-9', 'e-9', 'known'],
  ['e-8', 'e-9', 'known'],
  ['e-11', 'e-9', 'missed'],
  ['f-10', 'e-9', 'missed'],
  ['e-1', null, 'missed'],
  ['nonsense', 'e-9', 'missed'],
  ['e-10', 'nonsense', 'missed'],
])('%s after %s is %s', (id, position, place) => {
  expect(placeOf(id, position)).toBe(place)
})

const event = (id: string | undefined): StreamEvent => ({ id, event: 'members-changed', data: '{}' })
const ids = (events: readonly StreamEvent[] | null) => events && events.map(({ id }) => id)
const recentOf = (...all: (string | undefined)[]): RecentEvents =>
  all.reduce<RecentEvents>((recent, id) => withRecent(recent, event(id)), [])

describe('what a page kept', () => {
  test.each<[string, (string | undefined)[], string[]]>([
    ['is what followed one another', ['e-1', 'e-2', 'e-3'], ['e-1', 'e-2', 'e-3']],
    ['leaves out what has no number', ['e-1', undefined, 'e-2'], ['e-1', 'e-2']],
    ['begins anew after a hole', ['e-1', 'e-2', 'e-5'], ['e-5']],
    ['begins anew with another epoch', ['e-1', 'e-2', 'f-3'], ['f-3']],
  ])('%s', (_, told, kept) => {
    expect(ids(recentOf(...told))).toEqual(kept)
  })

  test('is not more than some hundred', () => {
    const recent = recentOf(...Array.from({ length: 2000 }, (_, at) => `e-${at}`))
    expect([recent.length, recent[0]?.id, recent.at(-1)?.id]).toEqual([500, 'e-1500', 'e-1999'])
  })
})

test.each<[string, string[], string | null, string | null, string[] | null]>([
  ['what follows', ['e-4', 'e-5', 'e-6'], 'e-6', 'e-4', ['e-5', 'e-6']],
  ['all that was kept', ['e-4', 'e-5'], 'e-5', 'e-3', ['e-4', 'e-5']],
  ['nothing, where nothing followed', ['e-4', 'e-5'], 'e-5', 'e-5', []],
  ['nothing, to one that is further on', ['e-4', 'e-5'], 'e-5', 'e-9', []],
  ['nothing, where neither has heard anything', [], 'e-5', 'e-5', []],
  ['that it does not know, too long ago', ['e-4', 'e-5'], 'e-5', 'e-2', null],
  ['that it does not know, of another epoch', ['e-4', 'e-5'], 'e-5', 'f-4', null],
  ['that it does not know, to one without a position', ['e-4'], 'e-4', null, null],
  ['that it does not know, without one itself', [], null, 'e-4', null],
])('a page tells another %s', (_, kept, here, position, told) => {
  expect(ids(recentAfter(recentOf(...kept), here, position))).toEqual(told)
})
