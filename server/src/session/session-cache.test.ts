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

test('the oldest makes room when there are too many', () => {
  const cache = new SessionCache<string>(1_000)
  for (let n = 0; n <= 10_000; n += 1) cache.keep(`cookie ${n}`, `key ${n}`, read('session'), 0)
  expect(cache.find('cookie 0', 1)).toBeUndefined()
  expect(cache.find('cookie 1', 1)).toBeDefined()
})
