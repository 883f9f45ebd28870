import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom as random } from '../lib/random.ts'
import { readTransactions, writeTransactions } from './login-transaction.ts'
import type { LoginTransaction } from './login-transaction.ts'

const keys = { server: random.bytes(32), hmac: random.bytes(32) }
const begun = (state: string, begunAt = 1000, returnTo = '/'): LoginTransaction => ({
  state,
  nonce: 'n'.repeat(43),
  verifier: 'v'.repeat(43),
  returnTo,
  proof: null,
  replaces: null,
  begunAt,
})
const headerOf = (setCookie: string) => `other=1; ${setCookie.split(';')[0] ?? ''}`

test('sign-ins of several tabs come back together', () => {
  const all = [begun('a'), begun('b'), begun('c')]
  expect(readTransactions(headerOf(writeTransactions(all, keys, random)), keys, 2000)).toEqual(all)
})

test('the oldest make room for the newest', () => {
  const all = Array.from({ length: 20 }, (_, index) => begun(`state ${index}`, 1000, `/${'x'.repeat(900)}`))
  const cookie = writeTransactions(all, keys, random)
  const read = readTransactions(headerOf(cookie), keys, 2000)
  expect(cookie.length).toBeLessThan(4096)
  expect(read.length).toBeGreaterThan(0)
  expect(read).toEqual(all.slice(-read.length))
})

test('after ten minutes they are gone', () => {
  const header = headerOf(writeTransactions([begun('old', 1000), begun('new', 500_000)], keys, random))
  expect(readTransactions(header, keys, 601_000).map(({ state }) => state)).toEqual(['new'])
})

test('those of another console, or changed ones, are nothing', () => {
  const header = headerOf(writeTransactions([begun('a')], keys, random))
  expect(readTransactions(header, { ...keys, server: random.bytes(32) }, 2000)).toEqual([])
  expect(readTransactions(`${header.slice(0, -1)}${header.endsWith('A') ? 'B' : 'A'}`, keys, 2000)).toEqual([])
  expect(readTransactions(`${header}; ${header}`, keys, 2000)).toEqual([])
})

test('T-fuzz: no cookie is an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
      expect(readTransactions(`__Host-Http-login=${text}`, keys, 2000)).toEqual([])
    }),
    { seed: 8, numRuns: 2000 },
  )
})
