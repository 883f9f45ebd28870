import { collectDefaultMetrics, Registry } from 'prom-client'
import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import type { GatewayWatch } from '../gateway/gateway-watch.ts'
import type { RequestClass } from '../gateway/request.ts'
import { DoorMetrics } from '../http/metrics.ts'
import { Instruments } from '../lib/instruments.ts'
import type { Logger } from '../lib/logger.ts'
import { consoleMetrics, healthMetrics, memberMetrics, requestMetrics, streamMetrics } from './metric-definitions.ts'

/** Whose authority an event stream was opened with. */
export type StreamAuthority = 'console' | 'person'

/** What is counted and timed while it happens; what is asked for when somebody reads is in metrics.ts. */
export class ConsoleMetrics {
  readonly instruments: Instruments
  readonly door: DoorMetrics
  readonly #process = new Registry()
  readonly #requests
  readonly #requestSeconds
  readonly #asked
  readonly #askedSeconds
  readonly #outcomes
  readonly #attempts
  readonly #failures
  readonly #attemptSeconds
  readonly #probes
  readonly #phases
  readonly #changes
  readonly #gaps
  readonly #gapSeconds
  readonly #sessionEnds
  readonly #auditRecords
  readonly #databaseSeconds
  readonly #databaseFailures
  readonly #provider
  readonly #alerts

  constructor(logger: Pick<Logger, 'error'>) {
    const all = new Instruments((metric, error) => logger.error({ err: error, metric }, 'a metric could not be read'))
    this.instruments = all
    this.door = new DoorMetrics(all)
    this.#requests = all.counter(requestMetrics.requests)
    this.#requestSeconds = all.histogram(requestMetrics.seconds)
    this.#asked = all.counter(requestMetrics.asked)
    this.#askedSeconds = all.histogram(requestMetrics.askedSeconds)
    this.#outcomes = all.counter(requestMetrics.outcomes)
    this.#attempts = all.counter(memberMetrics.attempts)
    this.#failures = all.counter(memberMetrics.failures)
    this.#attemptSeconds = all.histogram(memberMetrics.seconds)
    this.#probes = all.counter(healthMetrics.probes)
    this.#phases = all.histogram(healthMetrics.phases)
    this.#changes = all.counter(healthMetrics.changes)
    this.#gaps = all.counter(streamMetrics.gaps)
    this.#gapSeconds = all.counter(streamMetrics.gapSeconds)
    this.#sessionEnds = all.counter(consoleMetrics.sessionEnds)
    this.#auditRecords = all.counter(consoleMetrics.auditRecords)
    this.#databaseSeconds = all.histogram(consoleMetrics.database)
    this.#databaseFailures = all.counter(consoleMetrics.databaseFailures)
    this.#provider = all.histogram(consoleMetrics.provider)
    this.#alerts = all.counter(consoleMetrics.alerts)
    // What Node says of the process: memory, event loop, garbage collection.
    collectDefaultMetrics({ register: this.#process })
  }

  /** Prometheus's text of everything. */
  async text(): Promise<string> {
    return (await this.instruments.text()) + (await this.#process.metrics())
  }

  /** A message about certificates that end, to a webhook or by mail. */
  alertSent(sink: string, delivered: boolean): void {
    this.#alerts.add([sink, delivered ? 'delivered' : 'failed'])
  }

  /** A request of a person to a cluster, answered, refused or failed with a code. */
  served(cluster: string, requestClass: RequestClass, result: string, ms: number): void {
    this.#requests.add([cluster, requestClass, result])
    this.#requestSeconds.observe([cluster, requestClass], ms / 1000)
  }

  /** What hears of the attempts that the gateway of a cluster makes. */
  gatewayWatch(cluster: string): GatewayWatch {
    return {
      carried: (requestClass, end, attempts, hedged, tookMs) => {
        this.#asked.add([cluster, requestClass, howOf(attempts, hedged), end])
        this.#askedSeconds.observe([cluster, requestClass], tookMs / 1000)
      },
      begun: (member, requestClass) => this.#attempts.add([cluster, memberLabel(member), requestClass]),
      answered: (member, requestClass, answerMs) =>
        this.#attemptSeconds.observe([cluster, memberLabel(member), requestClass], answerMs / 1000),
      failed: (member, requestClass, failure) =>
        this.#failures.add([cluster, memberLabel(member), requestClass, failure]),
    }
  }

  outcomeFound(cluster: string, outcome: 'confirmed' | 'not_applied' | 'unknown'): void {
    this.#outcomes.add([cluster, outcome])
  }

  probed(cluster: string, name: string, { kind, failure, connectMs, tlsMs, firstByteMs }: ProbeRecord): void {
    const member = memberLabel(name)
    this.#probes.add([cluster, member, kind, failure?.phase ?? 'answered'])
    if (connectMs !== null) this.#phases.observe([cluster, member, 'connect'], connectMs / 1000)
    if (tlsMs !== null) this.#phases.observe([cluster, member, 'tls'], tlsMs / 1000)
    if (firstByteMs !== null) this.#phases.observe([cluster, member, 'answer'], firstByteMs / 1000)
  }

  standingChanged(cluster: string, member: string, standing: Standing): void {
    this.#changes.add([cluster, memberLabel(member), standing])
  }

  /** A member has left: what was counted of it would be told for ever. */
  memberLeft(cluster: string, member: string): void {
    if (isNamed(member)) this.instruments.forget({ cluster, member })
  }

  /** Listening begins: a counter that is there from the start shows its first growth. */
  listening(cluster: string, authority: StreamAuthority): void {
    this.#gaps.add([cluster, authority], 0)
    this.#gapSeconds.add([cluster, authority], 0)
  }

  missed(cluster: string, authority: StreamAuthority, ms: number): void {
    this.#gaps.add([cluster, authority])
    this.#gapSeconds.add([cluster, authority], Math.max(0, ms) / 1000)
  }

  sessionEnded(kind: string): void {
    this.#sessionEnds.add([kind])
  }

  recorded(): void {
    this.#auditRecords.add([])
  }

  /** What hears how long the statements of a database took, and whether they failed. */
  databaseWatch(database: string): (tookMs: number, failed: boolean) => void {
    this.#databaseFailures.add([database], 0)
    return (tookMs, failed) => {
      this.#databaseSeconds.observe([database], tookMs / 1000)
      if (failed) this.#databaseFailures.add([database])
    }
  }

  /** A request to the provider ended with this status; null when there was none. */
  provider(status: number | null, tookMs: number): void {
    this.#provider.observe([status === null ? 'failed' : `${Math.floor(status / 100)}xx`], tookMs / 1000)
  }
}

/** Until the cluster has told its name, a member is called by its address, which is none of a metric's business. */
export function isNamed(member: string): boolean {
  return !member.includes(':')
}

function memberLabel(member: string): string {
  return isNamed(member) ? member : 'unnamed'
}

function howOf(attempts: number, hedged: boolean): string {
  if (hedged) return 'hedged'
  return attempts === 0 ? 'none' : attempts === 1 ? 'first' : 'next'
}
