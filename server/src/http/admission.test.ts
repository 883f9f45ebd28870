import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { TestDoor } from '../../testing/test-door.ts'
import { startTestDoor } from '../../testing/test-door.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

/** A door that lets five strangers of a network in per second, and counts how often a cookie was looked for. */
async function start() {
  let lookups = 0
  const clock = new ManualClock()
  const door = await startTestDoor({
    routes: [],
    clock,
    limits: { anonymousPerSecond: 5 },
    trustedProxies: ['127.0.0.1'],
    onLookup: () => (lookups += 1),
  })
  doors.push(door)
  door.ended.add('guest')
  const from = (address: string, as: 'guest' | 'viewer' | null, path = '/api/nothing') =>
    door.ask(path, { as, headers: { 'x-forwarded-for': address } }).then(({ status }) => status)
  const timesFrom = async (times: number, ...asked: Parameters<typeof from>) => {
    const statuses: number[] = []
    for (let n = 0; n < times; n += 1) statuses.push(await from(...asked))
    return statuses
  }
  return { clock, from, timesFrom, lookups: () => lookups }
}

describe('a stranger', () => {
  it.each([null, 'guest'] as const)('with the cookie of %s is answered so often in a second', async (as) => {
    const { timesFrom, clock } = await start()
    expect(await timesFrom(8, '198.51.100.7', as)).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    expect(await timesFrom(1, '198.51.100.8', as)).toEqual([401])
    await clock.pass(1_000)
    expect(await timesFrom(6, '198.51.100.7', as)).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('who brings cookies that open nothing has none looked for beyond that', async () => {
    const { timesFrom, lookups } = await start()
    await timesFrom(50, '198.51.100.7', 'guest')
    expect(lookups()).toBe(5)
  })

  it('has one limit for all addresses of a network that one has', async () => {
    const { from } = await start()
    const statuses: number[] = []
    for (let n = 1; n <= 7; n += 1) statuses.push(await from(`2001:db8:1:2::${n}`, 'guest'))
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    expect(await from('2001:db8:1:3::1', 'guest')).toBe(401)
  })

  it('is told what the API is so often too', async () => {
    const { timesFrom } = await start()
    expect(await timesFrom(7, '198.51.100.7', null, '/api/openapi.json')).toEqual([200, 200, 200, 200, 200, 429, 429])
  })
})

describe('somebody signed in', () => {
  it('does not suffer for what a stranger of the same network does', async () => {
    const { from, timesFrom } = await start()
    expect(await from('198.51.100.7', 'viewer')).toBe(404)
    await timesFrom(20, '198.51.100.7', 'guest')
    expect(await timesFrom(20, '198.51.100.7', 'viewer')).toEqual(Array.from({ length: 20 }, () => 404))
  })

  it('gets in where strangers were, as soon as they rest', async () => {
    const { from, timesFrom, clock } = await start()
    await timesFrom(20, '198.51.100.7', 'guest')
    expect(await from('198.51.100.7', 'viewer')).toBe(429)
    await clock.pass(250)
    expect(await from('198.51.100.7', 'viewer')).toBe(404)
  })
})
