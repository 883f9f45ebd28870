import { afterEach, expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { silentLogger as logger } from '../lib/logger.ts'
import { TrustedCertificates } from './trusted-certificates.ts'

const open: TrustedCertificates[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

const notAfter = new Date(Date.UTC(2027, 0, 1))
const { certificate } = selfSigned({ commonName: 'jo', notAfter })
const entries = [
  { fingerprint: 'aa', name: 'jo', type: 'client', certificate },
  { fingerprint: 'bb', name: null, type: 'metrics', certificate },
  { fingerprint: 'cc', name: 'server1', type: 'server', certificate },
  { fingerprint: 'dd', name: 'broken', type: 'client', certificate: 'not PEM' },
]

function start(read: Gateway['read']) {
  const clock = new ManualClock()
  const changes: string[] = []
  const onChange = () => void changes.push('changed')
  const trusted = new TrustedCertificates({ cluster: 'prod', gateway: { read }, onChange, clock, logger })
  open.push(trusted)
  trusted.start()
  return { clock, trusted, changes }
}

test('whoever is trusted is known with the end of their certificate, members and what cannot be read left out', async () => {
  const { clock, trusted } = start(async ({ parse }) => ({
    value: parse.parse(entries),
    operation: null,
    via: 'server1',
    attempts: 1,
    hedged: false,
    etag: null,
  }))
  await clock.pass(0)
  const common = { kind: 'trust-entry', cluster: 'prod', expiresAt: notAfter.getTime() }
  expect(trusted.known).toEqual([
    { ...common, name: 'jo', fingerprint: 'aa' },
    { ...common, name: 'bb', fingerprint: 'bb' },
  ])
})

test('nothing is known until they were read, which is tried again, and a failure later takes nothing back', async () => {
  let answers = false
  let asked = 0
  const { clock, trusted } = start(async ({ parse }) => {
    asked += 1
    if (!answers) throw new Error('nobody answers')
    return { value: parse.parse(entries), operation: null, via: 'server1', attempts: 1, hedged: false, etag: null }
  })
  await clock.pass(0)
  expect(trusted.known).toBeNull()
  answers = true
  await clock.pass(60_000)
  expect(trusted.known).toHaveLength(2)
  answers = false
  await clock.pass(60 * 60_000)
  expect(trusted.known).toHaveLength(2)
  expect(asked).toBeGreaterThan(3)
})

test('whoever is trusted anew is known a moment after the cluster says so, and that is told once', async () => {
  let trust = entries.slice(0, 1)
  const { clock, trusted, changes } = start(async ({ parse }) => ({
    value: parse.parse(trust),
    operation: null,
    via: 'server1',
    attempts: 1,
    hedged: false,
    etag: null,
  }))
  await clock.pass(0)
  trust = entries
  for (let told = 0; told < 5; told += 1) {
    trusted.hurry()
    await clock.pass(100)
  }
  expect(trusted.known).toHaveLength(1)
  await clock.pass(1_000)
  expect(trusted.known).toHaveLength(2)
  expect(changes).toHaveLength(2)
  trusted.hurry()
  await clock.pass(1_000)
  expect(changes).toHaveLength(2)
})
