import { describe, expect, test } from 'vitest'
import { takeTurns } from './turns.ts'

describe('taking turns', () => {
  test('sides of one rate are evenly between each other', () => {
    const turns = takeTurns([{ perSecond: 10 }, { perSecond: 10 }], 200)
    expect(turns.map(({ dueAt }) => dueAt)).toEqual([0, 50, 100, 150])
  })

  test('each side has its own rate', () => {
    const [quick, slow] = [{ perSecond: 20 }, { perSecond: 2 }]
    const turns = takeTurns([quick, slow], 5_000)
    expect(turns.filter(({ side }) => side === quick)).toHaveLength(100)
    expect(turns.filter(({ side }) => side === slow)).toHaveLength(10)
    expect(turns).toEqual(turns.toSorted((a, b) => a.dueAt - b.dueAt))
  })

  test('nobody has a turn in no time', () => expect(takeTurns([{ perSecond: 10 }], 0)).toEqual([]))
})
