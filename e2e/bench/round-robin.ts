import { Resolver } from 'node:dns/promises'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostsFile } from '../lab/fronts/dns.ts'
import { freePort } from '../support/free-port.ts'
import { startCompanion } from './companion.ts'
import type { Run } from './measurement.ts'
import type { MemberAddress } from './member-trust.ts'
import { type Outcome, type ReadOverTls, timedRead } from './timed-read.ts'

const name = 'incus.bench.test'

/** One DNS name with every member's address behind it, from a dnsmasq that turns their order with each question. */
export class RoundRobin {
  readonly #resolver = new Resolver({ timeout: 2_000, tries: 1 })

  constructor(port: number) {
    this.#resolver.setServers([`127.0.0.1:${port}`])
  }

  /** The addresses, in the order of the answer. */
  addresses(): Promise<string[]> {
    return this.#resolver.resolve4(name)
  }

  /** Asks as a client does: resolves the name, takes the addresses in the order they came, and goes on to the next where a connection is refused or impossible. */
  async read(read: ReadOverTls, patienceMs: number): Promise<Outcome> {
    const startedAt = performance.now()
    const left = (): number => Math.max(1, patienceMs - (performance.now() - startedAt))
    let last: Outcome = { kind: 'failed', startedAt, ms: 0, why: 'the name has no addresses' }
    for (const host of await this.addresses().catch(() => [])) {
      const outcome = await timedRead({ ...read, options: { ...read.options, host } }, left())
      last = { ...outcome, startedAt, ms: performance.now() - startedAt }
      if (outcome.kind === 'answered' || !connectFailures.has(outcome.why)) return last
    }
    return last
  }
}

const connectFailures = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

export async function startRoundRobin(
  run: Run,
  folder: string,
  members: readonly MemberAddress[],
): Promise<RoundRobin> {
  const [port, hosts] = [await freePort(), join(folder, 'hosts')]
  await writeFile(
    hosts,
    hostsFile(
      name,
      members.map(({ host }) => host),
    ),
  )
  const options = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file']
  const listen = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user=root']
  await startCompanion(run, ['dnsmasq', ...options, ...listen, `--addn-hosts=${hosts}`]).listensOn(port)
  return new RoundRobin(port)
}
