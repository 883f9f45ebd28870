import { describe, expect, test } from 'vitest'
import { mostAtOnce, planRound } from './plan-round.ts'

const three = ['10.20.0.11', '10.20.0.12', '10.20.0.13']
const plan = (more: Partial<Parameters<typeof planRound>[0]>) =>
  planRound({ kind: 'dns', addresses: three, members: 3, changing: false, turn: 0, ...more })

describe('a round', () => {
  test('goes to every address of a name', () => {
    expect(plan({}).toSorted()).toEqual(three)
  })

  test('goes to some of many, and to the others in the next ones', () => {
    const many = Array.from({ length: 20 }, (_, n) => `10.20.1.${n}`)
    const rounds = Array.from({ length: 20 }, (_, turn) => plan({ addresses: many, turn }))
    for (const round of rounds) expect(round.length).toBeLessThanOrEqual(mostAtOnce / 2)
    expect(new Set(rounds.flat()).size).toBe(20)
  })

  test.each([
    ['load-balancer', false, 1],
    ['load-balancer', true, 3],
    ['ecmp', false, 2],
    ['ecmp', true, 6],
    ['floating-ip', false, 1],
    ['floating-ip', true, 1],
    ['member', true, 1],
    ['console', false, 1],
  ] as const)('of a %s, changing: %s, makes %i connections', (kind, changing, connections) => {
    expect(plan({ kind, changing, addresses: ['10.20.0.100'] })).toHaveLength(connections)
  })

  test('never makes more than a dozen, however many servers there are', () => {
    expect(plan({ kind: 'ecmp', changing: true, members: 50, addresses: ['203.0.113.7'] })).toHaveLength(mostAtOnce)
  })

  test('goes nowhere while a name leads nowhere', () => {
    expect(plan({ addresses: [] })).toEqual([])
  })
})
