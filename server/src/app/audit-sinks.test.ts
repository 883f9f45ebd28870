import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAttestation } from '../audit/attestation.ts'
import { auditEntry } from '../audit/record.ts'
import { runMalleus } from '../cli/commands.ts'
import { loadConfig } from '../config.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { openStorage } from './storage.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-audit-sinks-'))
  file = path.join(folder, 'malleus.yaml')
  const fingerprint = '9f'.repeat(32)
  const yaml = [
    'publicUrl: https://console.example.net',
    'storage: sqlite:./var',
    'trustedProxies: [127.0.0.1]',
    'oidc: { issuer: https://idp.example.net, clientId: malleus, clientSecret: x }',
    `clusters: [{ name: prod-eu, members: [127.0.0.1:8443], trust: { fingerprints: ['${fingerprint}'] } }]`,
    'audit: { sinks: [{ name: other-disk, kind: file, path: copies.ndjson, records: true }] }',
  ]
  await writeFile(file, yaml.join('\n'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('a sink of the configuration has all that was recorded and its signed end when the console has stopped', async () => {
  const loaded = loadConfig({ file })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes))
  const tools = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const storage = await openStorage(loaded.config, { databaseWatch: () => () => undefined }, tools)
  await storage.history.intent(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3' }))
  await storage.close()

  const copies = path.join(folder, 'copies.ndjson')
  const lines = (await readFile(copies, 'utf8')).trimEnd().split('\n')
  expect(lines.join('\n')).toContain('"action":"member.evacuate"')
  expect(lines.join('\n')).toContain('"phase":"close"')
  expect(parseAttestation(lines.at(-1)!)).toMatchObject({ kind: 'checkpoint', heads: [{ seq: 2 }] })

  let said = ''
  const status = await runMalleus(['audit', 'verify', '--config', file, '--against', copies], {
    out: (text) => (said += text),
    err: (text) => (said += text),
    readToken: () => Promise.resolve(''),
    start: () => Promise.resolve(0),
    environment: {},
  })
  expect([status, said]).toEqual([0, expect.stringContaining('agrees with it')])
})
