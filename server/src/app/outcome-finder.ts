import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { auditEntry, requestOf } from '../audit/record.ts'
import { OutcomeUnknown } from '../gateway/member-error.ts'
import type { Route } from '../http/route.ts'
import { sleep } from '../lib/clock.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { Sighting, UnknownMutation, Verdict } from '../mutations/reconciler.ts'
import { Reconciler } from '../mutations/reconciler.ts'
import { lookAtTrust } from '../trust/trust-witness.ts'
import type { Tools } from './cluster-parts.ts'
import type { ConsoleMetrics } from './console-metrics.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import type { ClusterWatch } from './cluster-watch.ts'

export interface OutcomeFinderOptions {
  readonly rooms: ReadonlyMap<string, Pick<ClusterRooms, 'parts'>>
  /** What the console hears with its own identity, where it has one. */
  readonly own: ReadonlyMap<string, ClusterWatch>
  readonly history: Pick<AuditLog, 'record'>
  readonly hub: Pick<LiveHub, 'publish'>
  readonly metrics: Pick<ConsoleMetrics, 'outcomeFound'>
  readonly tools: Tools
}

/** Finds out what became of changes whose answer was lost; the cluster itself is the witness. */
export class OutcomeFinder {
  /** Of changes of a member's state, of cancelled operations and of trust: each has witnesses of its own. */
  readonly #states: Reconciler
  readonly #cancels: Reconciler
  readonly #trust: Reconciler
  readonly #options: OutcomeFinderOptions
  readonly #stopped = new AbortController()

  constructor(options: OutcomeFinderOptions) {
    this.#options = options
    const { clock, logger } = options.tools
    const publish = (mutation: UnknownMutation, verdict: Verdict): void => this.#tell(mutation, verdict)
    this.#states = new Reconciler({
      witnesses: [
        { name: 'the list of members', look: (mutation) => this.#askMembers(mutation) },
        { name: 'the operations', look: (mutation) => this.#askOperations(mutation) },
      ],
      publish,
      clock,
      logger,
    })
    this.#cancels = new Reconciler({
      witnesses: [{ name: 'the operation', look: (mutation) => this.#askOperation(mutation) }],
      publish,
      clock,
      logger,
    })
    this.#trust = new Reconciler({
      witnesses: [{ name: 'the trust store', look: (mutation) => this.#askTrust(mutation) }],
      publish,
      clock,
      logger,
    })
  }

  stop(): void {
    this.#stopped.abort()
    this.#trust.stop()
    this.#states.stop()
    this.#cancels.stop()
  }

  /** The same route, whose unknown outcomes are looked into. */
  watching(row: Route): Route {
    if (row.class !== 'mutate') return row
    return {
      ...row,
      handler: async (context, input) => {
        const sentAt = this.#options.tools.clock.now()
        try {
          return await row.handler(context, input)
        } catch (error) {
          const { cluster, member, operation, fingerprint } = input.params as Readonly<
            Record<string, string | undefined>
          >
          const action = typeof row.action === 'string' ? row.action : row.action(input.body)
          // Of a certificate, what servers present decides, and that is watched where it was sent.
          if (error instanceof OutcomeUnknown && cluster !== undefined && action !== 'certificate.replace') {
            void this.#find({
              requestId: context.requestId,
              cluster,
              action,
              object: member ?? operation ?? fingerprint ?? '',
              sentAt,
              body: input.body,
            })
          }
          throw error
        }
      },
    }
  }

  /** Whoever asked is told first that nobody knows; the page and the history would not understand it the other way. */
  async #find(mutation: UnknownMutation): Promise<void> {
    await sleep(this.#options.tools.clock, answerFirstMs, this.#stopped.signal)
    if (this.#stopped.signal.aborted) return
    const { action } = mutation
    if (action.startsWith('trust.')) this.#trust.watch(mutation)
    else if (action === 'operation.cancel') this.#cancels.watch(mutation)
    else this.#states.watch(mutation)
  }

  async #askMembers({ cluster, action, object }: UnknownMutation): Promise<Sighting> {
    const parts = this.#options.rooms.get(cluster)?.parts
    await parts?.discovery.refresh()
    const status = parts?.reported.latest?.rows.get(object)?.status
    const applied = statusAfter[action] ?? []
    if (status !== undefined && applied.includes(status)) return { kind: 'applied', operation: null }
    return status === undefined ? { kind: 'nothing' } : { kind: 'not-applied' }
  }

  async #askOperations({ cluster, object, sentAt }: UnknownMutation): Promise<Sighting> {
    const watch = this.#options.own.get(cluster)
    if (watch === undefined) return { kind: 'nothing' }
    const { operations, freshness } = await watch.operations.list()
    const found = operations.find(
      (operation) =>
        operation.location === object &&
        /evacuat|restor/i.test(operation.description) &&
        Date.parse(operation.createdAt) >= sentAt - clockToleranceMs,
    )
    if (found !== undefined) return { kind: 'applied', operation: found.id }
    return freshness.kind === 'fresh' ? { kind: 'not-applied' } : { kind: 'nothing' }
  }

  /** How it is now tells whether Incus was asked: what was cancelled ends, and says so. */
  async #askOperation({ cluster, object }: UnknownMutation): Promise<Sighting> {
    const watch = this.#options.own.get(cluster)
    if (watch === undefined) return { kind: 'nothing' }
    const { operation } = await watch.operations.get(object)
    if (operation.status === 'cancelled' || operation.status === 'cancelling') {
      return { kind: 'applied', operation: operation.id }
    }
    return operation.status === 'unknown' ? { kind: 'nothing' } : { kind: 'not-applied' }
  }

  async #askTrust(mutation: UnknownMutation): Promise<Sighting> {
    const cluster = this.#options.rooms.get(mutation.cluster)?.parts.cluster
    if (cluster === undefined || cluster.identity === null) return { kind: 'nothing' }
    return lookAtTrust(cluster.gateway, mutation)
  }

  #tell(mutation: UnknownMutation, verdict: Verdict): void {
    const { hub, history, metrics, tools } = this.#options
    const { cluster, requestId, action, object } = mutation
    const outcome = verdict.kind === 'not_applied' ? 'not-applied' : verdict.kind
    const event: LiveEvent = { kind: 'outcome-found', cluster, requestId, action, object, outcome }
    hub.publish(event)
    metrics.outcomeFound(cluster, verdict.kind)
    const operation = verdict.kind === 'confirmed' ? verdict.operation : null
    const out = { status: null, op: operation, opStatus: outcome, bytes: null, ms: null, code: null }
    const req = requestOf({ id: requestId, method: '', route: '', path: '' })
    try {
      history.record(auditEntry({ action, cluster, object, req, out }))
    } catch (error) {
      tools.logger.error({ err: error, requestId }, 'what became of a change is missing in the access history')
    }
  }
}

const answerFirstMs = 250

/** Members' clocks and ours may differ by this much. */
const clockToleranceMs = 30_000

/** What the cluster reports of a member once the change is made, or being made. */
const statusAfter: Readonly<Record<string, readonly string[]>> = {
  'member.evacuate': ['Evacuated', 'Evacuating'],
  'member.restore': ['Online', 'Restoring'],
}
