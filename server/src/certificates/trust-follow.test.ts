import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { KeyPair } from '../../testing/certificate-authority.ts'
import { createCertificateAuthority, selfSigned } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import type { Pin } from '../clusters/trust.ts'
import { Trust, fingerprintOf } from '../clusters/trust.ts'
import { openDatabase } from '../database/database.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { sqlitePinStore } from './pin-store.sqlite.ts'
import { TrustFollower } from './trust-follow.ts'

const first = selfSigned({ commonName: 'first' })
const second = selfSigned({ commonName: 'second' })
const third = selfSigned({ commonName: 'third' })
const fingerprint = (pair: KeyPair) => fingerprintOf(new X509Certificate(pair.certificate))
const said = (pair: KeyPair, auth = 'trusted') => ({
  auth,
  environment: { certificate: pair.certificate, addresses: [] },
})

function world(
  trust = new Trust({
    kind: 'fingerprints',
    pins: [{ fingerprint: fingerprint(first), position: 'current', from: 'configuration' }],
  }),
) {
  const clock = new ManualClock()
  const directory = new MemberDirectory(['10.0.0.1:8443', '10.0.0.2:8443'].map(parseEndpoint))
  const names = directory.list().map(({ name }) => name)
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  board.retain(names)
  for (const name of names) board.observe(name, { kind: 'probe-answered', answerMs: 1, fresh: true })
  const shown = new Map<string, KeyPair>(names.map((name) => [name, first]))
  const changes: string[] = []
  const stored: (readonly Pin[])[] = []
  const follower = new TrustFollower({
    cluster: 'prod',
    configured: 'a',
    trust,
    directory,
    board,
    presented: (name) => ({ certificate: new X509Certificate(shown.get(name)?.certificate ?? '') }),
    store: { read: () => Promise.resolve(null), write: async (_cluster, _configured, pins) => void stored.push(pins) },
    clock,
    logger: silentLogger,
    onChange: (what) => changes.push(what),
  })
  const called = new Map(
    [first, second, third].map((pair, at) => [fingerprint(pair), ['first', 'second', 'third'][at]]),
  )
  const pins = () =>
    trust.anchor.kind === 'fingerprints'
      ? trust.anchor.pins.map((pin) => `${pin.position} ${called.get(pin.fingerprint)}`)
      : []
  return { follower, board, shown, changes, stored, pins, names }
}

describe('the pins follow the certificate of the cluster', () => {
  test('nothing happens while it is the same', () => {
    const { follower, pins, changes } = world()
    follower.heard('server1', said(first))
    expect(pins()).toEqual(['current first'])
    expect(changes).toEqual([])
  })

  test('a new one becomes the next pin, and the current one when every member presents it', () => {
    const { follower, pins, changes, shown, names, stored } = world()
    follower.heard('server1', said(second))
    expect(pins()).toEqual(['current first', 'next second'])
    shown.set(names[0]!, second)
    follower.presentedChanged()
    expect(pins()).toEqual(['current first', 'next second'])
    shown.set(names[1]!, second)
    follower.presentedChanged()
    expect(pins()).toEqual(['current second'])
    expect(changes).toEqual(['followed', 'advanced'])
    expect(stored.map((each) => each.length)).toEqual([2, 1])
  })

  test('a member that is down keeps the old one until somebody drops it: it may come back with it', () => {
    const { follower, pins, shown, names, board, changes } = world()
    follower.heard('server1', said(second))
    shown.set(names[0]!, second)
    const failure = { phase: 'tls', how: 'silent', fresh: true, message: 'No handshake.' } as const
    for (let n = 0; n < 2; n += 1) board.observe(names[1]!, { kind: 'probe-failed', failure })
    follower.presentedChanged()
    expect(pins()).toEqual(['current first', 'next second'])
    expect(follower.dropCurrent()).toBe(true)
    expect(pins()).toEqual(['current second'])
    expect(follower.dropCurrent()).toBe(false)
    expect(changes).toEqual(['followed', 'advanced'])
  })

  test('one that a person expects is accepted before anybody presents it, and can be dropped again', () => {
    const { follower, pins, changes, stored } = world()
    expect(follower.expect(fingerprint(second), 'expected by Jo')).toBe(true)
    expect(follower.expect(fingerprint(second), 'expected by Jo')).toBe(false)
    expect(pins()).toEqual(['current first', 'next second'])
    expect(follower.dropNext(fingerprint(third))).toBe(false)
    expect(follower.dropNext(fingerprint(second))).toBe(true)
    expect(follower.dropNext()).toBe(false)
    expect(pins()).toEqual(['current first'])
    expect(changes).toEqual(['followed', 'dropped'])
    expect(stored.map((each) => each.length)).toEqual([2, 1])
  })

  test('a successor that is presented already is not pushed out by what one member says', () => {
    const { follower, pins, shown, names } = world()
    follower.heard('server1', said(second))
    shown.set(names[0]!, second)
    follower.heard('server2', said(third))
    expect(pins()).toEqual(['current first', 'next second'])
  })

  test('one that nobody presents is', () => {
    const { follower, pins } = world()
    follower.heard('server1', said(second))
    follower.heard('server2', said(third))
    expect(pins()).toEqual(['current first', 'next third'])
  })

  test.each([
    ['what is said to a stranger', said(second, 'untrusted')],
    ['no certificate', { auth: 'trusted', environment: null }],
    ['something that is no certificate', { auth: 'trusted', environment: { certificate: 'PEM', addresses: [] } }],
  ])('%s is not followed', (_, server) => {
    const { follower, pins } = world()
    follower.heard('server1', server)
    expect(pins()).toEqual(['current first'])
  })

  test('where an authority vouches there is nothing to follow', () => {
    const { certificate } = createCertificateAuthority()
    const { follower, changes } = world(new Trust({ kind: 'ca', certificates: certificate, serverName: 'incus' }))
    follower.heard('server1', said(second))
    follower.presentedChanged()
    expect(changes).toEqual([])
  })
})

test('followed pins outlive the console, until the configured ones change', async () => {
  const database = await openDatabase(':memory:', 'malleus')
  const store = sqlitePinStore(database)
  const pins: Pin[] = [{ fingerprint: fingerprint(second), position: 'current', from: 'announced' }]
  expect(await store.read('prod', 'a')).toBeNull()
  await store.write('prod', 'a', [], 1)
  await store.write('prod', 'a', pins, 2)
  expect(await store.read('prod', 'a')).toEqual(pins)
  expect(await store.read('prod', 'b')).toBeNull()
  expect(await store.read('other', 'a')).toBeNull()
  await database.close()
})
