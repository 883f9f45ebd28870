import { describe, expect, test } from 'vitest'
import { firstFreeSlot, isLinkOf, planAddresses, planNeighbour } from './address-plan.ts'

describe('the address plan', () => {
  test('gives every member its own address and link', () => {
    const plan = planAddresses(7, 25)
    expect(plan.members[0]).toEqual({ name: 'server1', address: '10.77.7.11', hostLink: 'mlab7v1' })
    expect(plan.members[24]).toEqual({ name: 'server25', address: '10.77.7.35', hostLink: 'mlab7v25' })
    const all = [plan.host, ...plan.members.map((member) => member.address)]
    expect(new Set(all).size).toBe(26)
  })

  test('keeps interface names within the fifteen characters the kernel allows', () => {
    const plan = planAddresses(255, 25)
    for (const link of [plan.bridge, ...plan.members.map((member) => member.hostLink)]) {
      expect(link.length).toBeLessThanOrEqual(15)
      expect(isLinkOf(255, link)).toBe(true)
      expect(isLinkOf(25, link)).toBe(false)
    }
  })

  test.each([0, 26, 1.5, Number.NaN])('refuses %s members', (members) => {
    expect(() => planAddresses(0, members)).toThrow(RangeError)
  })

  test.each([-1, 256, 0.5])('refuses slot %s', (slot) => {
    expect(() => planAddresses(slot, 3)).toThrow(RangeError)
  })
})

describe('a neighbour of the members', () => {
  test('has an address and a link that no member has, and that the lab takes with it', () => {
    const neighbour = planNeighbour(7, 'router', 4)
    expect(neighbour).toEqual({ name: 'router', address: '10.77.7.4', hostLink: 'mlab7n4' })
    expect(isLinkOf(7, neighbour.hostLink)).toBe(true)
    expect(isLinkOf(77, neighbour.hostLink)).toBe(false)
  })

  test.each([0, 1, 10, 2.5])('cannot be number %s', (number) => {
    expect(() => planNeighbour(0, 'router', number)).toThrow(RangeError)
  })
})

describe('the first free slot', () => {
  test('is 0 on an empty machine', () => expect(firstFreeSlot(['lo', 'eth0'], ['default', '192.0.2.0/24'])).toBe(0))
  test('is after the labs that run', () => expect(firstFreeSlot(['mlab0', 'mlab1v3'], [])).toBe(2))
  test('is not where the host already routes', () => expect(firstFreeSlot([], ['10.77.0.0/24'])).toBe(1))
  test('is none when all are taken', () => {
    const links = Array.from({ length: 256 }, (_, slot) => `mlab${slot}`)
    expect(firstFreeSlot(links, [])).toBeUndefined()
  })
})
