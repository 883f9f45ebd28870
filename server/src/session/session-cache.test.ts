import { expect, test } from 'vitest'
import { SessionCache } from './session-cache.ts'

const read = (what: string) => Promise.resolve(what)

test('what was read is believed for that long, and no longer', async () => {
  const cache = new SessionCache<string>(1_000)
  cache.keep('cookie', 'key', read('session'), 5_000)
  expect(await cache.find('cookie', 5_999)).toBe('session')
  expect(cache.find('cookie', 6_000)).toBeUndefined()
})

test('another cookie for the same row finds nothing, and takes its place when it is read', async () => {
  const cache = new SessionCache<string>(1_000)
  cache.keep('cookie', 'key', read('session'), 0)
  expect(cache.find('forged', 1)).toBeUndefined()
  cache.keep('forged', 'key', read('nothing'), 1)
  expect(cache.find('cookie', 2)).toBeUndefined()
  expect(await cache.find('forged', 2)).toBe('nothing')
})

test('a row that is forgotten is found by no cookie', () => {
  const cache = new SessionCache<string>(1_000)
  cache.keep('cookie', 'key', read('session'), 0)
  cache.keep('forged', 'key', read('nothing'), 0)
  cache.keep('cookie', 'key', read('session'), 0)
  cache.forget('key')
  expect([cache.find('cookie', 1), cache.find('forged', 1)]).toEqual([undefined, undefined])
})

test('a reading that failed is not kept, and does not take a later one along', async () => {
  const cache = new SessionCache<string>(1_000)
  const failing = Promise.reject(new Error('the disk is full'))
  cache.keep('cookie', 'key', failing, 0)
  await expect(cache.find('cookie', 1)).rejects.toThrow('full')
  expect(cache.find('cookie', 1)).toBeUndefined()

  const { promise, reject } = Promise.withResolvers<string>()
  cache.keep('cookie', 'key', promise, 1)
  cache.keep('cookie', 'key', read('session'), 2)
  reject(new Error('late'))
  await promise.catch(() => undefined)
  expect(await cache.find('cookie', 3)).toBe('session')
})

test('what is too old is not kept in memory', () => {
  const cache = new SessionCache<string>(1_000)
  cache.keep('a', 'key a', read('session'), 0)
  cache.keep('b', 'key b', read('session'), 500)
  cache.keep('a', 'key a', read('session'), 900)
  cache.keep('c', 'key c', read('session'), 1_600)
  expect([cache.find('a', 1_600), cache.find('b', 1_600)]).toEqual([expect.anything(), undefined])
  cache.keep('d', 'key d', read('session'), 60_000)
  expect(cache.size).toBe(1)
})
