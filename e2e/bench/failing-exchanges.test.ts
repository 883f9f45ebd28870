import { describe, expect, test } from 'vitest'
import { FailingExchanges } from './failing-exchanges.ts'

/** A cluster that keeps account of what was armed. */
function clusterOf(...members: string[]) {
  const armed: { fault: Parameters<FailingCluster['faultAt']>[0]; fired: number; disarmed: boolean }[] = []
  const cluster: FailingCluster = {
    members,
    faultAt: (fault) => {
      const one = { fault, fired: 0, disarmed: false, disarm: () => void (one.disarmed = true) }
      armed.push(one)
      return one
    },
  }
  return { cluster, armed }
}
type FailingCluster = ConstructorParameters<typeof FailingExchanges>[0]

describe('failing exchanges', () => {
  test('are none where none shall fail', () => {
    const { cluster, armed } = clusterOf('server1')
    const failing = new FailingExchanges(cluster, { path: '/1.0', share: 0 })
    for (let count = 0; count < 100; count++) failing.draw()
    expect(armed).toEqual([])
    expect(failing.end()).toBe(0)
  })

  test('are all of them, at each member in its own way, until the end', () => {
    const { cluster, armed } = clusterOf('server1', 'server2', 'server3')
    const failing = new FailingExchanges(cluster, { path: '/1.0', share: 1 })
    failing.draw()
    expect(armed.map(({ fault }) => [fault.member, fault.kind, fault.times])).toEqual([
      ['server1', 503, Infinity],
      ['server2', 'reset', Infinity],
      ['server3', 'stall', Infinity],
    ])
    for (const one of armed) one.fired = 2
    expect(failing.end()).toBe(6)
    expect(armed.every(({ disarmed }) => disarmed)).toBe(true)
  })

  test('wait for each other, and come in about the share', () => {
    const { cluster, armed } = clusterOf('server1')
    const failing = new FailingExchanges(cluster, { path: '/1.0', share: 0.5 })
    for (let count = 0; count < 1_000; count++) {
      failing.draw()
      expect(armed.filter(({ fired }) => fired === 0).length).toBeLessThanOrEqual(1)
      for (const one of armed) one.fired = 1
    }
    expect(armed.length).toBeGreaterThan(350)
    expect(armed.length).toBeLessThan(650)
  })
})
