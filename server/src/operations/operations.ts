// One authority's view of the background work in a cluster: what events told it, what Incus lists and what is kept.
//
// For the list, Incus asks every member in turn and waits up to half a minute for one that hangs (incus
// `cmd/incusd/operations.go`, `operationsGet`), so it is only ever read behind, by the room of lists. Members that the
// cluster calls Offline are left out of it without a word: what ran there is neither lost nor told.

import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Operation, OperationMember } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { OperationEvent } from '@malleus/shared/incus/event.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import type { Answer } from '../gateway/request.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { KeptList } from '../lists/kept-list.ts'
import type { ListSource } from '../lists/kept-list.ts'
import type { AnsweredRow, RowKind, Tellers } from '../lists/known-list.ts'
import type { KeptOperations } from './kept-operations.ts'
import type { LostOperations } from './lost-operations.ts'
import { NoSuchOperation } from './operation-error.ts'
import { fromIncus, isOld, lostOperations, nextOperation } from './operation-log.ts'
import type { OperationPiece } from './operation-store.ts'
import type { Starters } from './starters.ts'
import type { ToldOperation } from './told-operation.ts'
import { toldOperation } from './told-operation.ts'

export interface OperationsPorts {
  /** Reads the whole list with this authority. May take as long as Incus waits for a member that hangs. */
  readonly list: () => Promise<Answer<readonly IncusOperation[]>>
  /** Reads one, from where it ran if that is known; null when Incus knows none of that id. */
  readonly one: (id: string, location: string | null) => Promise<IncusOperation | null>
  /** Whether the object that an operation worked on is now as the operation was to make it; null where nobody can tell. */
  readonly isDone: (operation: Operation) => Promise<boolean | null>
  /** Whether a member takes part when Incus makes the list. */
  readonly answers: (member: string | null) => boolean
  /** Why a member gives no answer now, as a sentence; null while it does. */
  readonly silence: (member: string) => string | null
  readonly members: () => readonly string[]
  /** Why nothing can be read at all now, as a sentence; null while there is no such reason. */
  readonly loss?: () => string | null
  /** Whether events arrive now. */
  readonly isTold: () => boolean
  /** The projects to be seen of what is kept; null while that is not known. */
  readonly projects: () => Promise<'all' | readonly string[] | null>
  /** Names the authority among those by whom operations were seen. */
  readonly authority: string
  readonly kept: KeptOperations
  readonly lost: LostOperations
  readonly starters: Pick<Starters, 'of'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface OperationsView {
  readonly operations: readonly Operation[]
  readonly freshness: Freshness
  readonly members: readonly OperationMember[]
  /** By whom and how the whole list was answered, where that was waited for. */
  readonly answer: Answer<unknown> | null
}

/** Incus tells nobody of work that was lost with its process; while something runs, the list is read this often. */
const recheckMs = 10_000
/** Of what has ended so many are at hand; the rest is among what is kept. */
const mostEnded = 500

export class Operations extends Subscribable<Operation> implements ListSource<Operation> {
  readonly #ports: OperationsPorts
  readonly #list: KeptList<Operation>
  /** What has not ended, and what ended last, in the order in which it ended. */
  readonly #log = new Map<string, Operation>()
  /** When work that has not ended was last told of; monotonic. */
  readonly #heardAt = new Map<string, number>()
  #cancelRecheck: (() => void) | null = null
  #unsubscribe = () => {}
  #stopped = false

  constructor(ports: OperationsPorts) {
    super((error) => ports.logger.error({ err: error }, 'a listener of the operations failed'))
    this.#ports = ports
    this.#list = new KeptList({ ...ports, source: this, kind: operationRows })
  }

  /** Takes up what this authority saw before: what ran then is looked for. */
  start(): void {
    const { kept, authority } = this.#ports
    for (const operation of kept.seenBy(authority)) {
      this.#log.set(operation.id, operation)
      if (!isFinished(operation)) this.#heardAt.set(operation.id, Number.NEGATIVE_INFINITY)
    }
    // What others with another authority hear of it is true for this one too.
    this.#unsubscribe = kept.subscribe((operation) => this.#log.has(operation.id) && this.#learn(operation))
    this.#forgetOld()
    if (this.#heardAt.size === 0) return
    void this.refresh()
    this.#recheckLater()
  }

  /**
   * What is known now; never waits longer than a fifth of a second. Running work first, then the latest. Rejects only
   * when Incus refuses the list to this authority.
   */
  async list(): Promise<OperationsView> {
    const [{ freshness, members, answer }, projects] = await Promise.all([
      this.#list.view(undefined),
      this.#ports.projects(),
    ])
    this.#forgetOld()
    const operations = [...this.#log.values()].filter((row) => isIn(projects, row)).toSorted(byInterest)
    const count = (name: string): number => operations.filter(({ location }) => location === name).length
    return { operations, freshness, members: members.map((part) => ({ ...part, count: count(part.name) })), answer }
  }

  /** What this authority saw in the last 30 days, in pieces in the order of change. */
  async kept(since: number): Promise<OperationPiece> {
    const { kept, authority } = this.#ports
    // Whoever may not see the list any more is not shown what they once saw of it.
    const [projects] = await Promise.all([this.#ports.projects(), this.#list.view(undefined)])
    const piece = await kept.piece(authority, since)
    return { ...piece, operations: piece.operations.filter((row) => isIn(projects, row)) }
  }

  /** @throws NoSuchOperation, and what the gateway throws where Incus has to be asked and does not answer. */
  async get(id: string): Promise<{ readonly operation: Operation; readonly told: ToldOperation | null }> {
    const { kept, authority } = this.#ports
    const [projects, before] = await Promise.all([this.#ports.projects(), kept.one(authority, id)])
    const known = before ?? (await this.#ask(id))
    if (known === null || !isIn(projects, known.operation)) throw new NoSuchOperation()
    const { operation, told } = known
    return { operation, told }
  }

  /** Takes in what the event feed says. After a gap, `doubt` finds what was missed. */
  hear(event: OperationEvent): void {
    this.#take(event.metadata, event.project)
  }

  /** Takes in the operation that a request of a person began, so that it is on screen before its first event. */
  began(operation: IncusOperation, begun: unknown): Operation {
    this.#take(operation, null)
    this.#ports.kept.began(operation.id, begun)
    return this.#log.get(operation.id) ?? fromIncus(operation, null, null, this.#ports.clock.now())
  }

  /** A member answers again: what ran there may have ended with its process. */
  answersAgain(member: string): void {
    this.#list.answersAgain(member)
    const isThere = [...this.#heardAt.keys()].some((id) => this.#log.get(id)?.location === member)
    if (isThere) void this.refresh()
  }

  /** Events may have been missed. */
  doubt(): void {
    this.#list.doubt()
    if (this.#heardAt.size > 0) void this.refresh()
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    this.#cancelRecheck?.()
    this.#list.stop()
  }

  /** Reads the whole list behind; several calls share one reading. Never rejects. */
  refresh(): Promise<void> {
    return this.#list.refresh()
  }

  /** How many operations are in memory. */
  get remembered(): number {
    return this.#log.size
  }

  async whole(): Promise<Answer<readonly AnsweredRow<Operation>[]> & { readonly tellers: Tellers }> {
    const { clock, answers, members, list } = this.#ports
    const asked = clock.monotonic()
    const before = new Set(members().filter(answers))
    const answer = await list()
    const wasKnown = (id: string): boolean => (this.#heardAt.get(id) ?? asked) < asked
    for (const operation of answer.value) this.#take(operation, null)
    const ids = new Set(answer.value.map(({ id }) => id))
    for (const lost of lostOperations(this.#log, ids, clock.now(), wasKnown, answers)) this.#lose(lost)
    const told = members().filter((member) => before.has(member) && answers(member))
    const silent = members().filter((member) => !told.includes(member))
    return { ...answer, value: [...this.#log.values()].map(rowOf), tellers: { told, silent } }
  }

  one(id: string): Promise<AnsweredRow<Operation> | null> {
    const operation = this.#log.get(id)
    return Promise.resolve(operation === undefined ? null : rowOf(operation))
  }

  async #ask(id: string): Promise<{ operation: Operation; told: ToldOperation | null } | null> {
    const operation = await this.#ports.one(id, null)
    if (operation === null || operation.class === 'token') return null
    this.#take(operation, null)
    return this.#ports.kept.one(this.#ports.authority, id)
  }

  /** Tokens are operations too; they hold secrets and are nobody's work. */
  #take(operation: IncusOperation, project: string | null): void {
    if (operation.class === 'token') return
    const { starters, clock } = this.#ports
    this.#keep(fromIncus(operation, project, starters.of(operation.id), clock.now()), toldOperation(operation))
  }

  #lose(operation: Operation): void {
    const { lost, one, isDone } = this.#ports
    const { isNew } = this.#keep(operation, null)
    if (!isNew) return
    lost.look(operation, {
      isKnown: async () => {
        const found = await one(operation.id, operation.location)
        if (found !== null) this.#take(found, null)
        return found !== null || this.#log.get(operation.id)?.status !== 'unknown'
      },
      isDone: () => isDone(operation),
      settle: (verdict) => this.#keep(verdict, null),
    })
  }

  #keep(operation: Operation, told: ToldOperation | null): { isNew: boolean } {
    const { kept, authority } = this.#ports
    const known = kept.saw(authority, operation, told)
    this.#learn(known.operation)
    return known
  }

  #learn(operation: Operation): void {
    if (this.#stopped) return
    const { id } = operation
    const before = this.#log.get(id)
    const next = nextOperation(before, operation)
    if (isFinished(next)) this.#heardAt.delete(id)
    else this.#heardAt.set(id, this.#ports.clock.monotonic())
    if (next === before) return
    if (isFinished(next)) this.#log.delete(id)
    this.#log.set(id, next)
    // Here, and not only when somebody asks for the list: most who hear of operations never do.
    if (isFinished(next)) this.#forgetOld()
    this.publish(next)
    this.#recheckLater()
  }

  /** What ended first comes first, so that it need not be looked at further than that. */
  #forgetOld(): void {
    const now = this.#ports.clock.now()
    let left = this.#log.size - this.#heardAt.size
    for (const [id, operation] of this.#log) {
      if (!isFinished(operation)) continue
      if (left <= mostEnded && !isOld(operation, now)) return
      this.#log.delete(id)
      left -= 1
    }
  }

  #recheckLater(): void {
    if (this.#stopped || this.#cancelRecheck !== null || this.#heardAt.size === 0) return
    this.#cancelRecheck = this.#ports.clock.after(recheckMs, () => {
      void this.refresh().then(() => {
        this.#cancelRecheck = null
        this.#recheckLater()
      })
    })
  }
}

const operationRows: RowKind<Operation> = {
  same: (a, b) => a === b,
  keep: (before) => before,
}

function rowOf(operation: Operation): AnsweredRow<Operation> {
  return { key: operation.id, member: operation.location ?? '', row: operation, told: true }
}

function isIn(projects: 'all' | readonly string[] | null, { project }: Operation): boolean {
  return projects === 'all' || projects === null || project === null || projects.includes(project)
}

function byInterest(a: Operation, b: Operation): number {
  const running = Number(isFinished(a)) - Number(isFinished(b))
  return running === 0 ? b.createdAt.localeCompare(a.createdAt) : running
}
