import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import type { Fault } from '../../testing/stand-in/faults.ts'
import type { StandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'
import { startStandInCluster } from '../../testing/stand-in/stand-in-cluster.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { Trust } from '../clusters/trust.ts'
import { gatewaySettings } from '../gateway/gateway-settings.ts'
import { Transport } from '../gateway/transport.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { systemClock } from '../lib/clock.ts'
import { systemRandom } from '../lib/random.ts'
import { Prober } from './prober.ts'

/** With the times of detection as shipped; the ejection lasts shorter, since each fault here is a new one. */
const settings = healthSettings({ ejectionMs: 200, ejectionAtMostMs: 200 })
const identity = selfSigned({ commonName: 'malleus' })

describe('over real TLS', { timeout: 120_000 }, () => {
  let cluster: StandInCluster
  let transport: Transport
  let board: HealthBoard
  let prober: Prober

  beforeAll(async () => {
    cluster = await startStandInCluster({ members: 3 })
    cluster.trust(identity.certificate, { name: 'malleus' })
    cluster.setLeader('server1')
    const pin = { fingerprint: cluster.fingerprint, position: 'current', from: 'test' } as const
    transport = new Transport({
      trust: new Trust({ kind: 'fingerprints', pins: [pin] }),
      identity: { ...identity, unrestricted: true },
      proxyProtocol: false,
      limits: gatewaySettings().limits,
      clock: systemClock,
    })
    board = new HealthBoard({ clock: systemClock, random: systemRandom, settings })
    board.retain(cluster.members)
    prober = new Prober({ transport, board, mode: 'certificate', deep: true, clock: systemClock, random: systemRandom })
    prober.follow(
      cluster.members.map((name) => ({ name, endpoint: parseEndpoint(cluster.address(name)), contacted: true })),
    )
    prober.start()
    for (const name of cluster.members) await until(name, 'healthy -', 5_000)
  })

  afterAll(async () => {
    prober.stop()
    transport.destroy()
    await cluster.close()
  })

  /** Resolves with the milliseconds it took until the board said so. */
  function until(member: string, said: string, withinMs: number): Promise<number> {
    const startedAt = performance.now()
    const words = () => `${board.current(member).standing} ${board.current(member).symptom ?? '-'}`
    if (words() === said) return Promise.resolve(0)
    return new Promise((resolve, reject) => {
      const end = board.subscribe(() => {
        if (words() !== said) return
        end()
        clearTimeout(timer)
        resolve(performance.now() - startedAt)
      })
      const timer = setTimeout(() => {
        end()
        reject(new Error(`${member} is "${words()}" after ${withinMs} ms, and not "${said}"`))
      }, withinMs)
    })
  }

  // A cold probe sees a certificate: one round of them is 10 × 550 ms.
  test.each<[Fault, string, number]>([
    ['stuck', 'ejected stuck', 2_000],
    ['refusing', 'ejected refusing', 2_000],
    ['cut-off', 'ejected unreachable', 2_000],
    ['slow', 'suspect slow', 2_000],
    [{ kind: 'slow', delayMs: 120 }, 'suspect slow', 2_000],
    [{ kind: 'slow', delayMs: 30 }, 'suspect slow', 2_000],
    [{ kind: 'starting', how: 'unavailable' }, 'ejected starting', 2_000],
    ['starting', 'ejected starting', 2_000],
    ['wrong-certificate', 'untrusted wrong-certificate', 6_500],
  ])('%j is on the board as "%s" within %i ms, and gone when it is mended', async (fault, said, withinMs) => {
    await cluster.break('server3', fault)
    await until('server3', said, withinMs)
    const others = ['server1', 'server2'].map((name) => board.current(name).standing)
    expect(others).toEqual(['healthy', 'healthy'])
    await cluster.mend('server3')
    expect(await until('server3', 'healthy -', 30_000)).toBeLessThan(30_000)
  })

  test('what is presented is seen, and nothing is sent to a stranger', async () => {
    const before = cluster.requests.length
    const presented = selfSigned({ commonName: 'stranger' })
    await cluster.break('server2', { kind: 'wrong-certificate', presented })
    await until('server2', 'untrusted wrong-certificate', 6_500)
    const fingerprint = new X509Certificate(presented.certificate).fingerprint256
    expect(prober.presented('server2')?.certificate.fingerprint256).toBe(fingerprint)
    const sent = () => cluster.requests.slice(before).filter(({ member }) => member === 'server2').length
    const sentUntilThen = sent()
    // It is asked who it is again and again, and never anything else.
    const since = Date.now()
    await vi.waitFor(
      () => expect(prober.records('server2').filter(({ at }) => Date.parse(at) > since).length).toBeGreaterThan(2),
      { timeout: 10_000 },
    )
    expect(sent()).toBe(sentUntilThen)
    await cluster.mend('server2')
    await until('server2', 'healthy -', 30_000)
  })

  test('deep probes go out with the identity of the console, light ones without', () => {
    const deep = cluster.requests.filter(({ url }) => url.startsWith('/1.0/cluster/members/'))
    const light = cluster.requests.filter(({ url }) => url === '/1.0')
    expect(deep.length).toBeGreaterThan(0)
    expect(light.length).toBeGreaterThan(0)
    expect(deep.every(({ peerFingerprint }) => peerFingerprint !== null)).toBe(true)
    expect(light.every(({ peerFingerprint }) => peerFingerprint === null)).toBe(true)
  })
})
