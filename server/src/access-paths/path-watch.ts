import type { AccessPath } from '@malleus/shared/api/access-paths.ts'
import { isIP } from 'node:net'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { jittered } from '../lib/random.ts'
import type { AddressRecord, ClusterFacts, ConfiguredPath, Move, PathEvidence, Visit } from './access-path.ts'
import { serverIn } from './check-answers.ts'
import type { PathJudgement } from './judge-path.ts'
import { judgePath } from './judge-path.ts'
import { changingEveryMs, changingForMs, planRound, quietEveryMs } from './plan-round.ts'
import type { VisitBudget } from './visit-budget.ts'
import type { Visitor } from './visitor.ts'
import { silentAfterMs } from './visitor.ts'
import type { Client, TurnedAway } from './waiting-clients.ts'
import { clientsAfter, patienceMs, quantile } from './waiting-clients.ts'

export interface PathWatchOptions {
  readonly path: ConfiguredPath
  readonly visitor: Visitor
  readonly facts: () => ClusterFacts
  /** Whether an address that a name led to may be contacted. */
  readonly mayVisit: (address: string) => boolean
  /** What may be spent on looking closer while something changes. */
  readonly budget: Pick<VisitBudget, 'take'>
  readonly clock: Clock
  readonly random: Random
  /** What is believed of the path is another thing than before. */
  readonly onChange: () => void
  /** The wait of a new client is over. */
  readonly onClient: (client: Client) => void
  readonly onVisit: (visit: Visit) => void
}

const mostVisits = 400
const visitsForMs = 600_000
const clientsForMs = 3_600_000
const mostClients = 5_000
/** As many may wait for an answer that does not come. */
const mostPending = 8
/** Those who ask more than once within this time are asked once. */
const hurryAtMostEveryMs = 500
/** A move of the address that is older says nothing of now. */
const movesForMs = 120_000

/** Visits one path in time, and remembers what it saw of it. */
export class PathWatch {
  readonly path: ConfiguredPath
  readonly #options: PathWatchOptions
  #visits: Visit[] = []
  #records: readonly AddressRecord[] | null = null
  #resolveFailure: string | null = null
  #forbidden: readonly string[] = []
  #moves: Move[] = []
  #holder: { readonly server: string; readonly answeredAt: number } | null = null
  #turnedAway: readonly TurnedAway[] = []
  #clients: Client[] = []
  #probedAt: number | null = null
  #round = 0
  /** The last round that is complete. */
  #ended = 0
  #pending = 0
  #signature = ''
  #changedAt = -Infinity
  #hurriedAt = -Infinity
  #isVisiting = false
  #isWantedAgain = false
  #cancel: () => void = () => {}
  #stopped = true

  constructor(options: PathWatchOptions) {
    this.#options = options
    this.path = options.path
  }

  /** Begins within a second, so that not all paths are visited in the same moment. */
  start(): void {
    this.#stopped = false
    this.#plan(this.#options.random.fraction() * changingEveryMs)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Something changed in the cluster: the path is visited now, and each second for a while. */
  hurry(): void {
    const now = this.#options.clock.monotonic()
    this.#changedAt = now
    if (this.#stopped || now - this.#hurriedAt < hurryAtMostEveryMs) return
    this.#hurriedAt = now
    this.#visitSoon()
  }

  #visitSoon(): void {
    if (this.#isVisiting) this.#isWantedAgain = true
    else this.#plan(0)
  }

  get evidence(): PathEvidence {
    return {
      // Of a round that is under way, those that answer are known before those that do not.
      visits: this.#visits.filter(({ round }) => round <= this.#ended),
      records: this.#records,
      resolveFailure: this.#resolveFailure,
      forbidden: this.#forbidden,
      moves: this.#moves,
    }
  }

  /** Wall clock; null before the first visit. */
  get probedAt(): number | null {
    return this.#probedAt
  }

  judge(): PathJudgement {
    return judgePath(this.path, this.evidence, this.#options.facts(), this.#options.clock.now())
  }

  /** Of the clients of the last hour that met no failure, and of those that did. */
  get firstAnswer(): Pick<AccessPath['firstAnswer'], 'nowMs' | 'p50Ms' | 'p99Ms' | 'clients'> {
    const waits = this.#clients.map(({ waitedMs }) => waitedMs)
    return {
      nowMs: this.#clients.at(-1)?.waitedMs ?? null,
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      clients: waits.length,
    }
  }

  /** Those that began at that time or later, wall clock, and whose wait is over. */
  clientsSince(from: number): readonly Client[] {
    return this.#clients.filter(({ startedAt }) => startedAt >= from)
  }

  /** For how long the client waits that began first at that time or later and still hears nothing; wall clock. */
  longestWaitSince(from: number): number | null {
    const now = this.#options.clock.now()
    const waits = this.#visits.flatMap(({ startedAt, end }) =>
      end.kind === 'failed' && end.pending && startedAt >= from && now - startedAt <= silentAfterMs + patienceMs
        ? [now - startedAt]
        : [],
    )
    return waits.length === 0 ? null : Math.max(...waits)
  }

  #plan(delayMs: number): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(delayMs, () => void this.#visitAll())
  }

  get #isChanging(): boolean {
    return this.#options.clock.monotonic() - this.#changedAt < changingForMs
  }

  async #visitAll(): Promise<void> {
    this.#isVisiting = true
    this.#isWantedAgain = false
    const { clock, random, facts, budget } = this.#options
    const begun = clock.monotonic()
    this.#round += 1
    const addresses = await this.#resolve()
    const plan = { kind: this.path.kind, addresses, members: facts().members.length, turn: this.#round }
    const closer = planRound({ ...plan, changing: true })
    const isCloser = this.#isChanging && budget.take(closer.length)
    const asked = isCloser ? closer : planRound({ ...plan, changing: false })
    await Promise.all(asked.map((address) => this.#visit(address, this.#round)))
    if (this.#stopped) return
    this.#ended = this.#round
    this.#probedAt = clock.now()
    this.#judged()
    this.#isVisiting = false
    const every = isCloser ? changingEveryMs : jittered(quietEveryMs, 0.1, random)
    this.#plan(this.#isWantedAgain ? 0 : Math.max(0, every - (clock.monotonic() - begun)))
  }

  /** Where to go now: what the name leads to and may be visited. */
  async #resolve(): Promise<readonly string[]> {
    const { target } = this.path
    if (target.kind === 'socket') return [target.socket]
    const { host } = target.endpoint
    if (isIP(host) !== 0) return [host]
    const { records, failure } = await this.#options.visitor.resolve(host)
    this.#resolveFailure = failure
    this.#records = records === null ? null : records.map((record) => this.#withLongestTtl(record))
    const found = (records ?? []).map(({ address }) => address)
    this.#forbidden = target.kind === 'page' ? [] : found.filter((address) => !this.#options.mayVisit(address))
    return found.filter((address) => !this.#forbidden.includes(address))
  }

  /** A resolver tells what is left of the TTL; the longest that was seen is nearest to what was set. */
  #withLongestTtl({ address, ttlSeconds }: AddressRecord): AddressRecord {
    const before = this.#records?.find((record) => record.address === address)?.ttlSeconds ?? null
    return { address, ttlSeconds: ttlSeconds === null ? null : Math.max(before ?? 0, ttlSeconds) }
  }

  /** Resolves when the visit has ended, or is known to be silent. */
  #visit(address: string, round: number): Promise<void> {
    const { visitor } = this.#options
    return new Promise((resolve) => {
      const waits = this.#pending < mostPending
      let silent: Visit | null = null
      const ended = visitor.visit(this.path, address, { round, patienceMs: waits ? patienceMs : 0 }, (visit) => {
        silent = visit
        this.#pending += 1
        this.#note(visit, null)
        resolve()
      })
      void ended.then((visit) => {
        if (silent !== null) this.#pending -= 1
        if (!this.#stopped) this.#note(waits ? visit : notWaitedFor(visit), silent)
        resolve()
      })
    })
  }

  #note(visit: Visit, inPlaceOf: Visit | null): void {
    const { clock, onClient, onVisit } = this.#options
    const now = clock.now()
    const at = inPlaceOf === null ? -1 : this.#visits.indexOf(inPlaceOf)
    // Who answers late was silent all the same.
    if (inPlaceOf === null) this.#visits.push(visit)
    else if (at !== -1 && visit.end.kind === 'failed') this.#visits[at] = visit
    this.#visits = this.#visits.filter(({ startedAt }) => now - startedAt < visitsForMs).slice(-mostVisits)
    this.#followHolder(visit)
    const { turnedAway, done } = clientsAfter(this.path.kind, this.#turnedAway, visit, now)
    this.#turnedAway = turnedAway
    for (const client of done) onClient(client)
    this.#clients = [...this.#clients, ...done]
      .filter(({ startedAt }) => now - startedAt < clientsForMs)
      .slice(-mostClients)
    if (inPlaceOf === null) onVisit(visit)
    // A client whose connection was cut tries again at once.
    else if (visit.end.kind === 'failed' && visit.end.how !== 'silent') this.#visitSoon()
  }

  /** Who answers at a floating address now, and since when it is another one. */
  #followHolder(visit: Visit): void {
    const [server] = serverIn(visit)
    if (this.path.kind !== 'floating-ip' || server === undefined || visit.end.kind !== 'answered') return
    const answeredAt = visit.startedAt + visit.end.ms
    const before = this.#holder
    if (before !== null && answeredAt < before.answeredAt) return
    if (before !== null && before.server !== server) {
      const tookMs = answeredAt - before.answeredAt
      this.#moves = [...this.#moves, { from: before.server, to: server, at: answeredAt, tookMs }]
      this.#changedAt = this.#options.clock.monotonic()
    }
    this.#moves = this.#moves.filter(({ at }) => answeredAt - at < movesForMs)
    this.#holder = { server, answeredAt }
  }

  /** Tells when what is believed is another thing than before. */
  #judged(): void {
    const { verdict, checks, servers } = this.judge()
    const signature = JSON.stringify([
      verdict,
      checks.map(({ id, level }) => [id, level]),
      servers.map(({ name, place, symptom }) => [name, place, symptom]),
    ])
    if (signature === this.#signature) return
    this.#signature = signature
    this.#changedAt = this.#options.clock.monotonic()
    this.#options.onChange()
  }
}

/** Nobody knows how long a client would have waited that was given up at the first silence. */
function notWaitedFor(visit: Visit): Visit {
  const { end } = visit
  return end.kind === 'failed' && end.how === 'silent' ? { ...visit, end: { ...end, pending: true } } : visit
}

/** Where clients of a path connect to, as one enters it. */
export function targetOf({ target }: ConfiguredPath): string {
  if (target.kind === 'socket') return target.socket
  return target.kind === 'page' ? target.url : formatEndpoint(target.endpoint)
}
