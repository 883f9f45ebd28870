import { expect, test } from 'vitest'
import { z } from 'zod'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Seeded } from '../../testing/seeded.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { quantile } from '../health/rolling-samples.ts'
import { systemRandom } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { Prober } from '../probes/prober.ts'
import type { WireReply } from './exchange.ts'
import { Exchange } from './exchange.ts'
import { gatewaySettings } from './gateway-settings.ts'
import { ClusterGateway } from './gateway.ts'
import type { ConnectionFailure, ProbeReport, ProbeRequest, Transport } from './transport.ts'

/** Members that answer at their own pace, in virtual time. */
class Members implements Pick<Transport, 'request' | 'probe' | 'openWebSocket' | 'connectionFailures'> {
  readonly connectionFailures = new Subscribable<ConnectionFailure>()
  /** How many times later than usual each of them answers. */
  readonly slowness = new Map<string, number>()
  readonly #clock: ManualClock
  readonly #chance: Seeded

  constructor(clock: ManualClock, chance: Seeded) {
    this.#clock = clock
    this.#chance = chance
  }

  request({ name }: Parameters<Transport['request']>[0]): Exchange {
    const exchange = new Exchange(name, this.#clock, 1_000_000)
    const controller = { abort: () => {} }
    exchange.onRequestStart(controller)
    this.#clock.after(this.#takesMs(name), () => {
      exchange.onResponseStart(controller, 200, {})
      exchange.onResponseData(controller, Buffer.from('{"type":"sync","metadata":{}}'))
      exchange.onResponseEnd()
    })
    return exchange
  }

  async probe({ member, progress = {}, connection }: ProbeRequest): Promise<ProbeReport> {
    if (connection === 'new') {
      progress.connectMs = await this.#pass(0.1 * this.#takesMs(member.name))
      progress.tlsMs = await this.#pass(this.#takesMs(member.name))
    }
    const firstByteMs = await this.#pass(this.#takesMs(member.name))
    const answeredAt = this.#clock.monotonic()
    const reply: WireReply = { status: 200, headers: {}, body: Buffer.from('{}'), answeredAt }
    return { connectMs: null, tlsMs: null, ...progress, presented: null, firstByteMs, reply, failure: null }
  }

  openWebSocket(): never {
    throw new Error('nothing listens here')
  }

  /** 3 ms in the middle, 9 ms at the 99th percentile. */
  #takesMs(member: string): number {
    return (2 - 1.5 * Math.log(1 - this.#chance.fraction())) * (this.slowness.get(member) ?? 1)
  }

  #pass(ms: number): Promise<number> {
    const startedAt = this.#clock.monotonic()
    return new Promise((resolve) => {
      this.#clock.after(ms, () => resolve(this.#clock.monotonic() - startedAt))
    })
  }
}

const names = ['server1', 'server2', 'server3']

function world(seed: number) {
  const clock = new ManualClock()
  const chance = new Seeded(seed)
  const random = { ...systemRandom, fraction: () => chance.fraction() }
  const transport = new Members(clock, chance)
  const members = names.map((name, at) => ({
    name,
    endpoint: { host: `10.0.0.${at + 1}`, port: 8443 },
    groups: [],
    contacted: true,
    why: null,
  }))
  const directory = new MemberDirectory([])
  directory.replace(members)
  const board = new HealthBoard({ clock, random, settings: healthSettings() })
  board.retain(names)
  const prober = new Prober({ transport, board, mode: 'certificate', deep: false, clock, random })
  prober.follow(members)
  prober.start()
  const gateway = new ClusterGateway({
    directory,
    board,
    transport,
    settings: gatewaySettings(),
    clock,
    random,
    bearerUsable: () => true,
    observeDatabase: false,
  })

  /** The 99th percentile of reads, 50 each second, in milliseconds. */
  async function p99(seconds: number): Promise<number> {
    const times: number[] = []
    const reads: Promise<void>[] = []
    for (let n = 0; n < 50 * seconds; n += 1) {
      const startedAt = clock.monotonic()
      const read = gateway.read({
        class: 'read',
        scope: { kind: 'console' },
        target: { kind: 'any' },
        path: '/profiles/default',
        parse: z.unknown(),
      })
      reads.push(read.then(() => void times.push(clock.monotonic() - startedAt)))
      await clock.pass(20)
    }
    await clock.pass(1_000)
    await Promise.all(reads)
    return quantile(times, 0.99) ?? Number.NaN
  }

  const stop = () => {
    prober.stop()
    gateway.close()
  }
  return { clock, transport, board, p99, stop }
}

test.each([10, 30, 100])(
  'a member that becomes %i times slower leaves the 99th percentile of reads within 1.5',
  async (factor) => {
    for (let seed = 1; seed <= 2; seed += 1) {
      const { transport, p99, board, stop } = world(seed)
      await p99(20)
      const healthyMs = await p99(60)
      // Reads go on while nobody knows yet: these, too, are in the percentile.
      transport.slowness.set('server3', factor)
      const slowMs = await p99(60)
      expect(board.current('server3').symptom).toBe('slow')
      expect(slowMs / healthyMs).toBeLessThanOrEqual(1.5)
      stop()
    }
  },
)
