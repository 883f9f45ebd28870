import type { Clock } from './clock.ts'
import { sleep } from './clock.ts'
import type { EventHub } from './events.ts'
import type { Member } from './member.ts'
import { MemberDied } from './member.ts'
import { IncusError } from './replies.ts'
import { goTime } from './times.ts'

const STATUS_CODES = {
  Pending: 105,
  Running: 103,
  Cancelling: 104,
  Success: 200,
  Failure: 400,
  Cancelled: 401,
} as const

export type OperationStatus = keyof typeof STATUS_CODES

/** What work inside an operation can do. */
export interface Work {
  /** Waits, and goes on only while the member's process runs. */
  step(ms: number): Promise<void>
  /** Shows where it stands. As in Incus, what was shown before is gone. */
  report(metadata: Record<string, unknown>): void
  /** Aborted when somebody cancels the operation. */
  readonly cancelled: AbortSignal
}

export interface NewOperation {
  class: 'task' | 'websocket' | 'token'
  description: string
  location: Member
  project?: string
  resources?: Record<string, string[]>
  metadata?: Record<string, unknown>
  mayCancel?: boolean
  /** Absent: it stays running until it is cancelled or finished, as tokens do. */
  run?: (work: Work) => Promise<void>
}

/** Background work of one member, as `/1.0/operations` shows it. */
export class Operation {
  readonly id: string
  readonly class: NewOperation['class']
  readonly location: Member
  /** Undefined: it belongs to the cluster, and is listed in every project. */
  readonly project: string | undefined
  readonly mayCancel: boolean
  /** Absent work is ended by whoever began it. */
  readonly hasWork: boolean
  status: OperationStatus = 'Running'
  metadata: Record<string, unknown> | null
  err = ''
  readonly #description: string
  readonly #resources: Record<string, string[]>
  readonly #createdAt: number
  #updatedAt: number
  #watchers: (() => void)[] = []
  readonly cancel = new AbortController()

  constructor(id: string, options: NewOperation) {
    this.id = id
    this.class = options.class
    this.location = options.location
    this.project = options.project
    this.mayCancel = options.mayCancel ?? options.class === 'token'
    this.hasWork = options.run !== undefined
    this.metadata = options.metadata ?? null
    this.#description = options.description
    this.#resources = options.resources ?? {}
    this.#createdAt = options.location.now()
    this.#updatedAt = this.#createdAt
  }

  get url(): string {
    return `/1.0/operations/${this.id}`
  }

  get final(): boolean {
    return STATUS_CODES[this.status] >= 200
  }

  render(): Record<string, unknown> {
    return {
      id: this.id,
      class: this.class,
      description: this.#description,
      created_at: goTime(this.#createdAt),
      updated_at: goTime(this.#updatedAt),
      status: this.status,
      status_code: STATUS_CODES[this.status],
      resources: this.#resources,
      metadata: this.metadata,
      may_cancel: this.mayCancel,
      err: this.err,
      location: this.location.name,
    }
  }

  touch(now: number): void {
    this.#updatedAt = now
  }

  /** Resolves when it has ended, or its member has forgotten it. */
  ended(): Promise<void> {
    return this.final ? Promise.resolve() : new Promise((resolve) => this.#watchers.push(resolve))
  }

  tell(): void {
    for (const tell of this.#watchers.splice(0)) tell()
  }
}

/** The operations of all members. Each lives in the memory of one member and goes with its process. */
export class Operations {
  readonly #clock: Clock
  readonly #events: EventHub
  readonly #newId: () => string
  readonly #keepMs: number
  readonly #operations = new Map<string, Operation>()

  constructor(parts: { clock: Clock; events: EventHub; newId: () => string; keepMs: number }) {
    this.#clock = parts.clock
    this.#events = parts.events
    this.#newId = parts.newId
    this.#keepMs = parts.keepMs
  }

  /** Begins work that goes on after the answer. */
  start(options: NewOperation): Operation {
    const operation = new Operation(this.#newId(), options)
    this.#operations.set(operation.id, operation)
    operation.status = 'Pending'
    this.#announce(operation)
    operation.status = 'Running'
    this.#announce(operation)
    if (options.run !== undefined) void this.#carryOut(operation, options.run)
    return operation
  }

  all(): Operation[] {
    return [...this.#operations.values()]
  }

  find(id: string): Operation {
    const operation = this.#operations.get(id)
    if (operation === undefined) throw new IncusError(404, 'Operation not found')
    return operation
  }

  /** Ends an operation that has no work of its own: a token that was redeemed or has been cancelled. */
  finish(operation: Operation, status: 'Success' | 'Failure' | 'Cancelled', err = ''): void {
    operation.status = status
    operation.err = err
    this.#announce(operation)
    operation.tell()
    this.#clock.after(this.#keepMs, () => this.#operations.delete(operation.id))
  }

  /** Ends it before it is done. Incus tells that it is being cancelled first. */
  cancel(operation: Operation): void {
    operation.status = 'Cancelling'
    this.#announce(operation)
    if (operation.hasWork) operation.cancel.abort(new Error('cancelled'))
    else this.finish(operation, 'Cancelled')
  }

  /** A process died: its operations are gone, and nobody hears of it. */
  forgetThoseOf(member: Member): void {
    for (const operation of this.all()) {
      if (operation.location !== member) continue
      this.#operations.delete(operation.id)
      operation.cancel.abort(new MemberDied(member.name))
      operation.tell()
    }
  }

  async #carryOut(operation: Operation, run: (work: Work) => Promise<void>): Promise<void> {
    const { location } = operation
    const { life } = location
    const work: Work = {
      cancelled: operation.cancel.signal,
      step: async (ms) => {
        await sleep(this.#clock, ms + location.delayMs, operation.cancel.signal)
        await location.awake(life)
      },
      report: (metadata) => {
        operation.metadata = metadata
        operation.touch(location.now())
        this.#announce(operation)
      },
    }
    try {
      await location.awake(life)
      await run(work)
      this.finish(operation, 'Success')
    } catch (error) {
      if (error instanceof MemberDied) return
      if (operation.cancel.signal.aborted) this.finish(operation, 'Cancelled', 'Operation cancelled')
      else this.finish(operation, 'Failure', error instanceof Error ? error.message : String(error))
    }
  }

  #announce(operation: Operation): void {
    const { location, project } = operation
    const metadata = operation.render()
    this.#events.send({ type: 'operation', location, metadata, ...(project === undefined ? {} : { project }) })
  }
}
