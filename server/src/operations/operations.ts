import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { OperationEvent } from '@malleus/shared/incus/event.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import type { Clock } from '../lib/clock.ts'
import { instant, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { OperationLog } from './operation-log.ts'
import { fromIncus, lostOperations, withOperation, withoutOld } from './operation-log.ts'
import type { Starters } from './starters.ts'

// One authority's view of the background work in a cluster. Kept current by events; the whole list, for which Incus
// asks every member in turn and waits for one that hangs, is only ever read behind.

export interface OperationsPorts {
  /** Reads the whole list with this authority. May take as long as Incus waits for a member that hangs. */
  readonly list: () => Promise<readonly IncusOperation[]>
  readonly answers: (member: string | null) => boolean
  readonly starters: Pick<Starters, 'of'>
  readonly clock: Clock
  readonly logger: Logger
}

/** How long a person waits for the first list before they get what is known. */
const patienceMs = 250
/** Incus tells nobody of work that was lost with its process; while something runs, the list is read this often. */
const recheckMs = 10_000

export class Operations extends Subscribable<Operation> {
  readonly #ports: OperationsPorts
  #log: OperationLog = new Map()
  /** When work that has not ended was last told of; monotonic. */
  readonly #heardAt = new Map<string, number>()
  #listedAt: number | null = null
  #failure: string | null = null
  #refreshing: Promise<void> | null = null
  #cancelRecheck: (() => void) | null = null
  #stopped = false

  constructor(ports: OperationsPorts) {
    super((error) => ports.logger.error({ error }, 'a listener of the operations failed'))
    this.#ports = ports
  }

  /** What is known now; never waits longer than a quarter of a second. Running work first, then the latest. */
  async list(): Promise<{ readonly operations: readonly Operation[]; readonly freshness: Freshness }> {
    if (this.#listedAt === null) await Promise.race([this.refresh(), sleep(this.#ports.clock, patienceMs)])
    this.#log = withoutOld(this.#log, this.#ports.clock.now())
    return { operations: [...this.#log.values()].toSorted(byInterest), freshness: this.#freshness() }
  }

  /** Takes in what the event feed says. After a gap, `refresh` finds what was missed. */
  hear(event: OperationEvent): void {
    this.#take(event.metadata, event.project)
  }

  /** Takes in the operation that a request of a person began, so that it is on screen before its first event. */
  take(operation: Operation): void {
    this.#keep(operation)
  }

  /** A member answers again: what ran there may have ended with its process. */
  answersAgain(member: string): void {
    if (this.#running.some(({ location }) => location === member)) void this.refresh()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelRecheck?.()
  }

  /** Reads the whole list behind; several calls share one reading. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  async #read(): Promise<void> {
    const { clock } = this.#ports
    const [askedAt, asked] = [clock.now(), clock.monotonic()]
    const wasKnown = (id: string): boolean => (this.#heardAt.get(id) ?? asked) < asked
    try {
      const listed = await this.#ports.list()
      for (const operation of listed) this.#take(operation, null)
      const ids = new Set(listed.map(({ id }) => id))
      for (const lost of lostOperations(this.#log, ids, askedAt, wasKnown, this.#ports.answers)) this.#keep(lost)
      this.#listedAt = this.#ports.clock.now()
      this.#failure = null
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : 'the cluster did not answer'
      this.#ports.logger.info({ error }, 'the list of operations could not be read')
    }
  }

  /** Tokens are operations too; they hold secrets and are nobody's work. */
  #take(operation: IncusOperation, project: string | null): void {
    if (operation.class === 'token') return
    this.#keep(fromIncus(operation, project, this.#ports.starters.of(operation.id)))
  }

  #keep(operation: Operation): void {
    if (isFinished(operation)) this.#heardAt.delete(operation.id)
    else this.#heardAt.set(operation.id, this.#ports.clock.monotonic())
    const next = withOperation(this.#log, operation)
    if (next === this.#log) return
    // Here, and not only when somebody asks for the list: most who hear of operations never do.
    this.#log = isFinished(operation) ? withoutOld(next, this.#ports.clock.now()) : next
    const kept = next.get(operation.id)
    if (kept === undefined) return
    this.publish(kept)
    this.#recheckLater()
  }

  #recheckLater(): void {
    if (this.#stopped || this.#cancelRecheck !== null || this.#running.length === 0) return
    this.#cancelRecheck = this.#ports.clock.after(recheckMs, () => {
      void this.refresh().then(() => {
        this.#cancelRecheck = null
        this.#recheckLater()
      })
    })
  }

  get #running(): readonly Operation[] {
    return [...this.#log.values()].filter((operation) => !isFinished(operation))
  }

  /** How many operations are in memory. */
  get remembered(): number {
    return this.#log.size
  }

  #freshness(): Freshness {
    if (this.#listedAt === null) {
      const reason = this.#failure ?? 'The cluster has not answered yet; it is still being asked.'
      return { kind: 'unavailable', reason }
    }
    const asOf = instant(this.#listedAt)
    return this.#failure === null ? { kind: 'fresh', asOf } : { kind: 'stale', asOf, reason: this.#failure }
  }
}

function byInterest(a: Operation, b: Operation): number {
  const running = Number(isFinished(a)) - Number(isFinished(b))
  return running === 0 ? b.createdAt.localeCompare(a.createdAt) : running
}
