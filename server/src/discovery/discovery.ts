import { isIP } from 'node:net'
import type { IncusMember } from '@malleus/shared/incus/member.ts'
import { IncusMembers } from '@malleus/shared/incus/member.ts'
import { IncusServer } from '@malleus/shared/incus/server.ts'
import type { Endpoint } from '../clusters/endpoint.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import { saysNotClustered } from '../clusters/not-clustered.ts'
import type { ReportedMembers } from '../clusters/reported-members.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { jittered } from '../lib/random.ts'
import type { KeptMembers } from './kept-members-store.ts'
import { planMembers } from './plan-members.ts'

export interface DiscoveryOptions {
  readonly gateway: Pick<Gateway, 'read'>
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  readonly reported: ReportedMembers
  readonly seeds: readonly Endpoint[]
  /** Whether the cluster knows this console; without that it learns only from what people are shown. */
  readonly hasIdentity: boolean
  readonly memberNetworks: readonly string[] | null
  readonly memberPorts: readonly number[]
  /** Hears every list that the cluster told; to have it at the next start. */
  readonly keep?: (members: readonly IncusMember[]) => void
  /** Every address of a name. May reject. */
  readonly resolve: (name: string) => Promise<readonly string[]>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** How the last reading of the list went; `at` is wall clock. */
export type DiscoveryStatus =
  | { readonly kind: 'not-yet' }
  | { readonly kind: 'read'; readonly at: number }
  | { readonly kind: 'failed'; readonly at: number; readonly reason: string }
  /** There is no console identity. */
  | { readonly kind: 'cannot' }

const EVERY_MS = 10_000

/**
 * Keeps the directory of members as the cluster has them: every ten seconds, and at once when an event or somebody says
 * that it changed. A standalone server is a cluster of one. Renamed members keep their health.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #seedNames = new Map<string, string>()
  #status: DiscoveryStatus
  #clustered: boolean | null = null
  #running: Promise<void> | null = null
  #again = false
  /** Whether the cluster told its members since the start. */
  #wasTold = false
  #cancel: () => void = () => {}
  #stopped = true

  constructor(options: DiscoveryOptions) {
    this.#options = options
    this.#status = options.hasIdentity ? { kind: 'not-yet' } : { kind: 'cannot' }
  }

  /**
   * Puts the members known so far on the board, and begins to ask.
   *
   * @param kept what the cluster said before the console was started anew; it counts until the cluster says something
   *   itself, and in no place that the configuration does not allow now
   */
  start(kept: KeptMembers | null = null): void {
    const { board, directory, hasIdentity } = this.#options
    board.retain(directory.list().map(({ name }) => name))
    this.#stopped = false
    if (kept !== null && kept.members.length > 0) void this.#resume(kept)
    if (hasIdentity) void this.#round()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Whether it is a cluster; null until it said so. */
  get clustered(): boolean | null {
    return this.#clustered
  }

  get status(): DiscoveryStatus {
    return this.#status
  }

  /** The path of a question that goes through the cluster database, about that member where there are several. */
  deepPath(member: string): string {
    return this.#clustered === false ? '/1.0/projects/default' : `/1.0/cluster/members/${encodeURIComponent(member)}`
  }

  /** Reads the list now. Several calls share one reading, and one more if they came while it ran. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#stopped || !this.#options.hasIdentity) return
    if (this.#running !== null) {
      this.#again = true
      await this.#running
      return
    }
    this.#running = this.#read().finally(() => (this.#running = null))
    await this.#running
    if (!this.#again) return
    this.#again = false
    await this.refresh()
  }

  /** Takes in a list that a person was shown, where the console cannot read one itself. */
  async learn(members: readonly IncusMember[]): Promise<void> {
    if (this.#options.hasIdentity || members.length === 0) return
    this.#clustered = true
    this.#wasTold = true
    this.#options.keep?.(members)
    await this.#become(members)
  }

  /** The same for a server that a person was told is not part of a cluster. */
  learnStandalone(name: string, via: string): void {
    if (!this.#options.hasIdentity) this.#becomeStandalone(name, via)
  }

  async #resume({ members, at }: KeptMembers): Promise<void> {
    await this.#become(members, () => !this.#wasTold)
    if (this.#wasTold || this.#stopped) return
    this.#clustered = true
    if (this.#options.hasIdentity) this.#options.reported.note(members, at)
  }

  async #round(): Promise<void> {
    await this.refresh()
    if (this.#stopped) return
    // Until it worked once, try more often: at start members may not be up yet.
    const everyMs = this.#status.kind === 'read' ? EVERY_MS : EVERY_MS / 10
    this.#cancel = this.#options.clock.after(jittered(everyMs, 0.1, this.#options.random), () => void this.#round())
  }

  async #read(): Promise<void> {
    const { gateway, clock, reported, logger } = this.#options
    const common = { class: 'read', scope: { kind: 'console' }, target: { kind: 'any' } } as const
    try {
      const query = { recursion: '1' }
      const answer = await gateway.read({ ...common, path: '/cluster/members', query, parse: IncusMembers })
      this.#clustered = true
      this.#wasTold = true
      this.#options.keep?.(answer.value)
      await this.#become(answer.value)
      reported.note(answer.value, clock.now())
      this.#status = { kind: 'read', at: clock.now() }
    } catch (error) {
      if (saysNotClustered(error)) {
        await this.#readStandalone()
        return
      }
      const reason = error instanceof Error ? error.message : String(error)
      if (this.#status.kind !== 'failed') logger.warn({ error }, 'the list of members could not be read')
      this.#status = { kind: 'failed', at: clock.now(), reason }
    }
  }

  async #readStandalone(): Promise<void> {
    const { gateway, clock } = this.#options
    try {
      const { value, via } = await gateway.read({
        class: 'read',
        scope: { kind: 'console' },
        target: { kind: 'any' },
        path: '',
        parse: IncusServer,
      })
      this.#becomeStandalone(value.environment?.server_name ?? via, via)
      this.#status = { kind: 'read', at: clock.now() }
    } catch (error) {
      this.#status = { kind: 'failed', at: clock.now(), reason: error instanceof Error ? error.message : String(error) }
    }
  }

  #becomeStandalone(name: string, via: string): void {
    const { directory, board } = this.#options
    const answered = directory.get(via)
    if (answered === undefined) return
    this.#clustered = false
    this.#wasTold = true
    board.rename(via, name)
    board.retain([name])
    directory.replace([{ ...answered, name }])
  }

  async #become(rows: readonly IncusMember[], isWanted = () => true): Promise<void> {
    const { directory, board, seeds, memberNetworks, memberPorts } = this.#options
    const addresses = await this.#addressesOf([...seeds.map(({ host }) => host), ...hostsOf(rows)])
    const plan = () =>
      planMembers({
        rows,
        before: directory.list(),
        seeds,
        memberNetworks,
        memberPorts,
        addresses,
        seedNames: this.#seedNames,
      })
    const first = plan()
    await this.#askNamesOf(first.unmatchedSeeds)
    const { members, renamed } = this.#seedNames.size === 0 ? first : plan()
    if (this.#stopped || !isWanted()) return
    for (const { from, to } of renamed) board.rename(from, to)
    board.retain(members.map(({ name }) => name))
    directory.replace(members)
  }

  /** Who is behind an address that we were given and that the cluster does not list? It says so itself. */
  async #askNamesOf(seeds: readonly Endpoint[]): Promise<void> {
    const { gateway, directory, board, hasIdentity } = this.#options
    if (!hasIdentity) return
    for (const seed of seeds) {
      const name = formatEndpoint(seed)
      if (directory.get(name) === undefined || board.current(name).standing !== 'healthy') continue
      const answer = await gateway
        .read({
          class: 'read',
          scope: { kind: 'console' },
          target: { kind: 'member', name },
          path: '',
          parse: IncusServer,
        })
        .catch(() => null)
      const said = answer?.value.environment?.server_name
      if (said !== null && said !== undefined) this.#seedNames.set(name, said)
    }
  }

  async #addressesOf(hosts: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = [...new Set(hosts)].filter((host) => isIP(host) === 0)
    const found = await Promise.all(
      names.map(async (name) => [name, await this.#options.resolve(name).catch(() => [])] as const),
    )
    return new Map(found)
  }
}

function hostsOf(rows: readonly IncusMember[]): readonly string[] {
  return rows.flatMap(({ url }) => (URL.canParse(url) ? [new URL(url).hostname.replaceAll(/^\[|\]$/g, '')] : []))
}
