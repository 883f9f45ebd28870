import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import { systemRandom } from '../lib/random.ts'
import { sqlitePreparedKeyStore } from './prepared-key-store.sqlite.ts'
import { PreparedKeys } from './prepared-keys.ts'

let database: Database
let clock: ManualClock
const serverKey = systemRandom.bytes(32)
const wanted = {
  subject: 'incus.example',
  names: ['incus.example', '*.incus.example', '10.0.0.1', '::1'],
  curve: 'P-256',
} as const

beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
  clock = new ManualClock()
})
afterEach(() => database.close())

function keys(more: { cluster?: string; serverKey?: Uint8Array } = {}): PreparedKeys {
  const store = sqlitePreparedKeyStore(database)
  return new PreparedKeys({ cluster: 'prod', store, serverKey, clock, random: systemRandom, ...more })
}

test('a key that was prepared is found by its public key, and nowhere to be read', async () => {
  const prepared = await keys().prepare(wanted)
  expect(prepared).toMatchObject({ subject: 'incus.example', key: 'ECDSA P-256', until: '2026-01-15T00:00:00.000Z' })
  expect(prepared.request).toContain('BEGIN CERTIFICATE REQUEST')
  expect(JSON.stringify(await keys().list())).not.toContain('PRIVATE')
  const rows = await database
    .tables<{ prepared_key: { sealed: Uint8Array } }>()
    .selectFrom('prepared_key')
    .selectAll()
    .execute()
  expect(Buffer.from(rows[0]!.sealed).includes('PRIVATE')).toBe(false)
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  expect(await keys().find(stranger)).toBeUndefined()
})

test('it opens after a restart, with the key file and for its own cluster alone', async () => {
  const { id } = await keys().prepare(wanted)
  const found = await anyKey(keys())
  expect(found).toBeDefined()
  const publicKey = createPublicKey(found!)
  expect(await keys().find(publicKey)).toBeDefined()
  expect(await keys({ serverKey: systemRandom.bytes(32) }).find(publicKey)).toBeUndefined()
  expect(await keys({ cluster: 'other' }).find(publicKey)).toBeUndefined()
  await keys().discard(id)
  expect(await keys().find(publicKey)).toBeUndefined()
})

test('it is deleted after fourteen days', async () => {
  await keys().prepare(wanted)
  await clock.pass(14 * 86_400_000 - 1)
  expect(await keys().list()).toHaveLength(1)
  await clock.pass(1)
  expect(await keys().list()).toEqual([])
  expect(
    await database.tables<{ prepared_key: { id: string } }>().selectFrom('prepared_key').selectAll().execute(),
  ).toEqual([])
})

test.each(['two words', 'a..b', '-a', 'a_b', 'https://a', '300.1.1.1.'])(
  '"%s" is no name for a certificate',
  async (name) => {
    await expect(keys().prepare({ ...wanted, names: [name] })).rejects.toMatchObject({ code: 'not_possible' })
  },
)

test('no more than ten wait', async () => {
  for (let count = 0; count < 10; count += 1) await keys().prepare(wanted)
  await expect(keys().prepare(wanted)).rejects.toThrow(/10 keys wait/)
})

/** The key that waits, by the public key in its own request. */
async function anyKey(prepared: PreparedKeys) {
  const [first] = await prepared.list()
  const der = Buffer.from(first!.request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  // The public key on P-256 is an `SubjectPublicKeyInfo` of 91 bytes that begins so (RFC 5480).
  const at = der.indexOf(Buffer.from('3059301306072a8648ce3d0201', 'hex'))
  return prepared.find(createPublicKey({ key: der.subarray(at, at + 91), format: 'der', type: 'spki' }))
}
