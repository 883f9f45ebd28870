import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import type { AlertStore } from './alert-store.ts'
import { sqliteAlertStore } from './alert-store.sqlite.ts'
import type { RaisedAlert } from './expiry.ts'

let database: Database
let store: AlertStore
beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
  store = sqliteAlertStore(database)
})
afterEach(() => database.close())

const alert = (threshold: RaisedAlert['threshold'], fingerprint = 'aa'): RaisedAlert => ({
  key: `prod/${fingerprint}`,
  threshold,
  source: 'cluster prod',
  certificate: { kind: 'cluster', cluster: 'prod', name: 'prod', fingerprint, expiresAt: 1_000 },
  raisedAt: 500,
  takenBy: [],
})

test('alerts come back as they were raised, with who has them', async () => {
  await store.raise([alert(14), alert(7), alert(7, 'bb')])
  await store.take('email', [alert(7)])
  await store.take('webhook', [alert(7)])
  const all = await store.all()
  expect(all.toSorted((a, b) => b.key.localeCompare(a.key) || b.threshold - a.threshold)).toEqual([
    alert(7, 'bb'),
    alert(14),
    { ...alert(7), takenBy: ['email', 'webhook'] },
  ])
})

test('what was raised or taken before is no error, and changes nothing', async () => {
  await store.raise([alert(7)])
  await store.take('email', [alert(7)])
  await store.raise([alert(7)])
  await store.take('email', [alert(7)])
  expect(await store.all()).toEqual([{ ...alert(7), takenBy: ['email'] }])
})

test('what is gone is forgotten, with who had it', async () => {
  await store.raise([alert(14), alert(7), alert(7, 'bb')])
  await store.take('email', [alert(7)])
  await store.settle(['prod/aa'])
  expect(await store.all()).toEqual([alert(7, 'bb')])
  await store.raise([alert(7)])
  expect(await store.all()).toContainEqual(alert(7))
})
