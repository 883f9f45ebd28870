import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { AccessLine } from './access-line.ts'
import { LineCounter } from './line-counter.ts'
import { readAskedPath } from './asked-path.ts'

const jo = { name: 'jo@example.net', protocol: 'oidc' } as const

function line(method: string, url: string, more: Partial<AccessLine> = {}): AccessLine {
  return {
    kind: 'handled',
    id: `server1@${url}`,
    at: 0,
    member: 'server1',
    user: jo,
    address: '10.0.0.1',
    method,
    asked: readAskedPath(url),
    ...more,
  }
}

function stranger(address: string): AccessLine {
  return line('GET', '/', { kind: 'refused', user: null, address, method: null, asked: null })
}

function world() {
  const clock = new ManualClock()
  const told: string[] = []
  const lines: AccessLine[] = []
  const counter = new LineCounter(clock, (told1, count) => {
    lines.push(told1)
    told.push(`${told1.kind} ${told1.method} ${told1.asked?.path ?? '?'} from ${told1.address} × ${count}`)
  })
  return { clock, told, lines, counter }
}

describe('lines of the request log', () => {
  test('of equal reads the first is told at once, and the count of the rest when the minute is over', async () => {
    const { clock, told, counter } = world()
    for (let n = 0; n < 5; n += 1) counter.take(line('GET', '/1.0/instances/c1'))
    expect(told).toEqual(['handled GET /1.0/instances/c1 from 10.0.0.1 × 1'])
    await clock.pass(60_000)
    expect(told.slice(1)).toEqual(['handled GET /1.0/instances/c1 from 10.0.0.1 × 4'])
    await clock.pass(120_000)
    expect(told).toHaveLength(2)
    counter.take(line('GET', '/1.0/instances/c1'))
    expect(told).toHaveLength(3)
  })

  test('reads of another object, from another address or on another server are others', () => {
    const { told, counter } = world()
    counter.take(line('GET', '/1.0/instances/c1'))
    counter.take(line('GET', '/1.0/instances/c2'))
    counter.take(line('GET', '/1.0/instances/c1', { address: '10.0.0.2' }))
    counter.take(line('GET', '/1.0/instances/c1', { member: 'server2' }))
    expect(told).toHaveLength(4)
  })

  test('changes are each told', () => {
    const { told, counter } = world()
    for (let n = 0; n < 5; n += 1) counter.take(line('PUT', '/1.0/instances/c1/state'))
    expect(told).toHaveLength(5)
  })

  test('whoever looks at ten thousand things in a minute is told of a hundred times, and once for the rest', async () => {
    const { clock, told, counter } = world()
    for (let n = 0; n < 10_000; n += 1) counter.take(line('GET', `/1.0/instances/c${n}`))
    expect(told).toHaveLength(101)
    await clock.pass(60_000)
    expect(told.at(-1)).toBe('handled GET ? from 10.0.0.1 × 9899')
    expect(told).toHaveLength(102)
    counter.take(line('GET', '/1.0/instances/c5000'))
    expect(told.at(-1)).toBe('handled GET /1.0/instances/c5000 from 10.0.0.1 × 1')
  })

  test('strangers from ten thousand addresses are told of two hundred times, and once for the rest', async () => {
    const { clock, told, counter } = world()
    for (let n = 0; n < 10_000; n += 1) counter.take(stranger(`10.1.${Math.floor(n / 256)}.${n % 256}`))
    expect(told).toHaveLength(201)
    await clock.pass(60_000)
    expect(told.at(-1)).toBe('refused null ? from null × 9799')
  })

  test('a network of IPv6 is one stranger', () => {
    const { told, counter } = world()
    for (let n = 1; n < 100; n += 1) counter.take(stranger(`2001:db8:1:2::${n.toString(16)}`))
    expect(told).toHaveLength(1)
  })

  test('what was counted is told before its time when the console stops', () => {
    const { told, counter } = world()
    for (let n = 0; n < 3; n += 1) counter.take(line('GET', '/1.0'))
    counter.flush()
    expect(told.at(-1)).toBe('handled GET /1.0 from 10.0.0.1 × 2')
  })
})
