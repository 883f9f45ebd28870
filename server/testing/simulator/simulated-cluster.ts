import { z } from 'zod'
import type { WireRequest } from '../../src/gateway/exchange.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'
import type { ChangeLedger } from './change-ledger.ts'
import type { EventLedger } from './event-ledger.ts'
import type { Referee } from './referee.ts'
import { SimulatedDatabase } from './simulated-database.ts'
import { SimulatedMember } from './simulated-member.ts'
import type { Trace } from './trace.ts'

/** An answer of Incus. */
export interface Said {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface SimulatedRequest extends WireRequest {
  readonly bearer: boolean
}

interface Work {
  readonly id: string
  readonly member: SimulatedMember
  /** A member that is started again knows nothing of what it did before. */
  readonly life: number
  readonly createdAt: number
  updatedAt: number
  code: 103 | 105 | 200 | 400
}

export interface ClusterWorld {
  readonly clock: Clock
  readonly chance: Chance
  readonly trace: Trace
  readonly referee: Referee
  readonly changes: ChangeLedger
  readonly events: EventLedger
}

const ChangeBody = z.object({ request: z.string() })

const epochMs = Date.UTC(2026, 0, 1)
const workKeptMs = 5_000
/** How long Incus waits for a member that hangs before it lists without it; 30 s in life. */
const listPatienceMs = 2_500

/** A small model of Incus: things that are read and changed, background work, and events that every member carries. */
export class SimulatedCluster {
  readonly members: readonly [SimulatedMember, ...SimulatedMember[]]
  readonly database: SimulatedDatabase
  readonly #world: ClusterWorld
  readonly #changes = new Map<string, string[]>()
  readonly #work = new Map<string, Work>()
  #events = 0

  constructor(world: ClusterWorld, size: number) {
    const { clock, chance } = world
    const member = (number: number): SimulatedMember =>
      new SimulatedMember(`server${number}`, { host: `10.0.0.${number}`, port: 8443 }, clock, chance)
    this.#world = world
    this.members = [member(1), ...Array.from({ length: size - 1 }, (_, at) => member(at + 2))]
    this.database = new SimulatedDatabase(clock, chance, this.members)
  }

  get(name: string): SimulatedMember {
    const member = this.members.find((other) => other.name === name)
    if (member === undefined) throw new RangeError(`there is no ${name}`)
    return member
  }

  /** What has been done to a thing, in order. */
  changesOf(thing: string): readonly string[] {
    return this.#changes.get(thing) ?? []
  }

  /** How a piece of background work stands; null when it was forgotten, or never was. */
  workStatus(id: string): number | null {
    const work = this.#work.get(id)
    return work === undefined || work.life !== work.member.life ? null : work.code
  }

  /** Something happens in the cluster by itself. */
  happen(): void {
    const member = this.#world.chance.oneOf(this.members)
    if (member.process === 'running') this.#tellChange(member, 'instance-updated')
  }

  /** A member is asked. `reply` may be called later, or never. */
  ask(member: SimulatedMember, request: SimulatedRequest, reply: (said: Said) => void): void {
    const { chance, referee } = this.#world
    if (member.certificate === 'other') referee.broken(`${request.path} reached ${member.name}, whom nobody trusts`)
    if (member.process === 'starting') {
      if (member.starting === 'unavailable') member.later(1, () => reply(failure(503, 'Daemon is starting up')))
      return
    }
    const tookMs = 0.3 + chance.waiting(1.5) + (chance.chance(0.02) ? chance.between(20, 400) : 0)
    member.later(tookMs, () => this.#answer(member, request, reply))
  }

  #answer(member: SimulatedMember, request: SimulatedRequest, reply: (said: Said) => void): void {
    const { path, bearer } = request
    if (path === '/1.0') {
      reply(publicServer)
      return
    }
    if (bearer && member.refusesTokens) {
      reply(failure(401, 'not authorized'))
      return
    }
    const noDatabase = (): void => reply(failure(500, 'Failed to begin transaction: context deadline exceeded'))
    this.database.query(
      member,
      () => {
        if (request.method !== 'GET') this.#change(member, request, reply)
        else if (path.startsWith('/1.0/operations/')) this.#one(path.slice('/1.0/operations/'.length), member, reply)
        else if (path.startsWith('/1.0/operations')) this.#list(member, reply)
        else reply(this.#read(path, member))
      },
      noDatabase,
    )
  }

  #read(path: string, member: SimulatedMember): Said {
    const thing = /^\/1\.0\/things\/([^/?]+)/.exec(path)?.[1]
    if (thing === undefined) return success(path.startsWith('/1.0/instances') ? [] : {})
    if (thing.startsWith('absent')) return failure(404, 'Not found')
    return success({ path, by: member.name, changes: this.changesOf(thing) })
  }

  /** Incus asks every member in turn, and waits for one that hangs. */
  #list(member: SimulatedMember, reply: (said: Said) => void): void {
    const hung = this.members.filter((other) => other !== member && (other.isCut || other.process === 'stopped'))
    member.later(hung.length * listPatienceMs, () => {
      const now = this.#world.clock.monotonic()
      const answering = this.members.filter((other) => other === member || other.works)
      const works = [...this.#work.values()].filter((work) => answering.includes(work.member) && isKept(work, now))
      reply(success({ running: works.map((work) => operationOf(work)) }))
    })
  }

  /** Found wherever it is: the question is passed on to the member that does the work, and waits for it. */
  #one(id: string, member: SimulatedMember, reply: (said: Said) => void): void {
    const work = this.#work.get(id)
    if (work === undefined || !isKept(work, this.#world.clock.monotonic())) reply(failure(404, 'Not found'))
    else if (work.member === member || work.member.works) reply(success(operationOf(work)))
    else member.later(listPatienceMs, () => reply(failure(503, 'The member that does the work does not answer')))
  }

  #change(member: SimulatedMember, { path, body }: SimulatedRequest, reply: (said: Said) => void): void {
    const { chance, changes, trace } = this.#world
    const thing = /^\/1\.0\/things\/([^/?]+)/.exec(path)?.[1] ?? ''
    const { request } = ChangeBody.parse(JSON.parse(body?.toString('utf8') ?? '{}'))
    trace.note(`${member.name} executes ${thing} for ${request.slice(0, 8)}`)
    this.#changes.set(thing, [...this.changesOf(thing), request])
    changes.executed(thing, request)
    this.#tellChange(member, 'thing-changed', thing)
    if (chance.chance(0.5)) reply(success({}))
    else reply(this.#begin(member))
  }

  #begin(member: SimulatedMember): Said {
    const { chance, clock } = this.#world
    const now = clock.monotonic()
    const work: Work = { id: chance.uuid(), member, life: member.life, createdAt: now, updatedAt: now, code: 105 }
    this.#work.set(work.id, work)
    const become = (code: Work['code']): void => {
      work.code = code
      work.updatedAt = clock.monotonic()
      this.#tellWork(member, work)
    }
    this.#tellWork(member, work)
    become(103)
    member.later(chance.between(100, 3_000), () => become(chance.chance(0.8) ? 200 : 400))
    const body = { type: 'async', operation: `/1.0/operations/${work.id}`, metadata: operationOf(work) }
    return { status: 202, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  }

  #tellWork(member: SimulatedMember, work: Work): void {
    this.#tell(member, { type: 'operation', project: 'default', metadata: operationOf(work) })
  }

  #tellChange(member: SimulatedMember, action: string, name = 'web'): void {
    const source = `/1.0/events/${this.#events + 1}/${name}`
    this.#tell(member, { type: 'lifecycle', project: 'default', metadata: { action, source } })
  }

  /** Whatever happens on one member is carried by all that live. */
  #tell(origin: SimulatedMember, event: object): void {
    const { clock, events } = this.#world
    this.#events += 1
    const number = this.#events
    const timestamp = nanoseconds(clock.monotonic(), number)
    const text = JSON.stringify({ ...event, timestamp, location: origin.name })
    events.happened(number, origin)
    for (const member of this.members) {
      const carry = (): void => {
        events.carried(number, member)
        member.tell(text)
      }
      if (member === origin) carry()
      else if (member.process !== 'dead') member.hear(origin, carry)
    }
  }
}

function isKept({ member, life, code, updatedAt }: Work, now: number): boolean {
  return life === member.life && (code < 200 || now - updatedAt < workKeptMs)
}

function operationOf({ id, member, createdAt, updatedAt, code }: Work): object {
  return {
    id,
    class: 'task',
    description: 'Changing a thing',
    created_at: new Date(epochMs + createdAt).toISOString(),
    updated_at: new Date(epochMs + updatedAt).toISOString(),
    status_code: code,
    location: member.name,
  }
}

/** No two events have the same time: Incus tells nanoseconds. */
function nanoseconds(monotonicMs: number, number: number): string {
  return new Date(epochMs + monotonicMs).toISOString().replace('Z', `${String(number).padStart(6, '0')}Z`)
}

function success(metadata: object): Said {
  return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ type: 'sync', metadata })) }
}

export function failure(status: number, error: string): Said {
  return { status, headers: {}, body: Buffer.from(JSON.stringify({ type: 'error', error, error_code: status })) }
}

const publicServer = success({ auth_methods: ['tls', 'oidc'] })
