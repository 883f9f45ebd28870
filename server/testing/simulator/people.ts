import type { Target } from '@malleus/shared/domain/target.ts'
import type { GatewaySettings } from '../../src/gateway/gateway-settings.ts'
import { MemberError, NoResponsiveMember } from '../../src/gateway/member-error.ts'
import type { Answer, ReadRequest } from '../../src/gateway/request.ts'
import type { ChangeLedger } from './change-ledger.ts'
import type { Chance } from './chance.ts'
import type { Asked, Got } from './door-request.ts'
import { ask } from './door-request.ts'
import type { Referee } from './referee.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { SimulatedConsole } from './simulated-console.ts'
import { Thing } from './simulated-console.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface PeopleOptions {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly trace: Trace
  readonly referee: Referee
  readonly changes: ChangeLedger
  readonly cluster: SimulatedCluster
  readonly settings: GatewaySettings
  readonly console: () => SimulatedConsole | null
}

/** Timers may be a step behind; nothing else makes a read late. */
const graceMs = 5
/** After its deadline a request is ended for a handler that did not end by itself (`http/pipeline.ts`). */
const overdueMs = 1_000

/** The people at their browsers: they look, change things, try again, and go away in the middle. */
export class People {
  readonly #options: PeopleOptions
  #reads = 0
  #things = 0
  #underWay = 0
  #unsettled = new Map<string, string>()

  constructor(options: PeopleOptions) {
    this.#options = options
  }

  /** What has been begun and has not ended. */
  get underWay(): number {
    return this.#underWay
  }

  get reads(): number {
    return this.#reads
  }

  /** Works until then. */
  work(untilMs: number, everyMs: number): void {
    const { chance, clock } = this.#options
    clock.after(chance.waiting(everyMs), () => {
      if (clock.monotonic() >= untilMs) return
      this.#act()
      this.work(untilMs, everyMs)
    })
  }

  /** Every change whose end is not known is asked for once more, and everybody can read. */
  async askAgain(): Promise<void> {
    for (const [thing, key] of this.#unsettled) await this.#tryChange(thing, key)
    const { cluster, referee } = this.#options
    for (const { name } of cluster.members) {
      const failed = await this.read('read', { kind: 'member', name })
      referee.expect(failed === null, () => `all is well, and ${name} cannot be read from: ${failed}`)
    }
  }

  #act(): void {
    const { chance, cluster } = this.#options
    const { name } = chance.oneOf(cluster.members)
    const what = chance.fraction()
    if (what < 0.5) void this.read('read', { kind: 'any' })
    else if (what < 0.6) void this.read('read', { kind: 'member', name })
    else if (what < 0.66) void this.read('list', { kind: 'any' })
    else if (what < 0.7) void this.read('read', { kind: 'any' }, chance.between(0, 100))
    else if (what < 0.72) this.#crowd(name)
    else if (what < 0.8) void this.#look()
    else void this.#change()
  }

  /** Many at once at one member: what does not fit waits, and what does not fit there is refused. */
  #crowd(name: string): void {
    const { chance, referee, settings } = this.#options
    const { readsPerMember, queuePerMember, queueMs } = settings.limits
    let waiting = 0
    const size = chance.whole(10, 30)
    for (let number = 0; number < size; number += 1) {
      waiting += 1
      void this.read('read', { kind: 'member', name }).then(() => (waiting -= 1))
    }
    this.#options.clock.after(0.001, () => {
      referee.expect(
        waiting <= readsPerMember + queuePerMember,
        () => `${waiting} requests of one crowd wait for ${name}, where ${readsPerMember} + ${queuePerMember} may`,
      )
    })
    this.#options.clock.after(queueMs + settings.limits.readMs + graceMs, () => {
      referee.expect(waiting === 0, () => `${waiting} requests of a crowd are never answered`)
    })
  }

  /** Null when it was answered, else the code of the failure. */
  async read(requestClass: 'read' | 'list', target: Target, goneAfterMs?: number): Promise<string | null> {
    const { chance, clock, console: present, referee, settings, trace } = this.#options
    const console = present()
    if (console === null) return 'there is no console'
    const number = (this.#reads += 1)
    const path = `/things/${chance.chance(0.1) ? 'absent' : `thing${chance.whole(1, 9)}`}`
    const { readMs, listMs } = settings.limits
    const deadlineMs = requestClass === 'read' ? readMs : listMs
    const leaving = new AbortController()
    const startedAt = clock.monotonic()
    let over = false
    if (goneAfterMs !== undefined) clock.after(goneAfterMs, () => leaving.abort())
    clock.after((goneAfterMs ?? deadlineMs) + graceMs, () => {
      referee.expect(over || console.isDead, () => `read ${number} of ${path} has passed its deadline`)
    })
    const request: ReadRequest<Thing> = {
      class: requestClass,
      scope: console.scope(),
      target,
      path,
      query: { class: requestClass, n: String(number) },
      parse: Thing,
      signal: leaving.signal,
    }
    this.#underWay += 1
    const ended = await Promise.race([
      answerOf(console.gateway.read(request)),
      console.gone.then(() => 'lost' as const),
    ])
    this.#underWay -= 1
    over = true
    const tookMs = Math.round(clock.monotonic() - startedAt)
    if (ended === 'lost') return 'lost'
    if ('answer' in ended) {
      const { value, via } = ended.answer
      trace.note(`read ${number} answered by ${via} in ${tookMs}`)
      const wanted = `/1.0${path}?class=${requestClass}&n=${number}`
      referee.expect(value.path === wanted, () => `read ${number} of ${wanted} got the answer for ${value.path}`)
      referee.expect(value.by === via, () => `read ${number} says it came from ${via} and came from ${value.by}`)
      return null
    }
    const { error } = ended
    if (!(error instanceof MemberError || error instanceof NoResponsiveMember)) {
      referee.broken(`read ${number} failed with ${String(error)}`)
      return 'unknown'
    }
    trace.note(`read ${number} ${error.code} in ${tookMs}`)
    return error.code === 'not_found' ? null : error.code
  }

  /** A page is opened: the same through the door. */
  async #look(): Promise<void> {
    const { chance, clock, console: present, referee, settings } = this.#options
    const console = present()
    if (console === null) return
    const { readMs, mutationMs } = settings.limits
    let over = false
    clock.after(readMs + overdueMs + graceMs, () => {
      referee.expect(over || console.isDead, () => 'a page has waited longer than the deadline')
    })
    const asked = { id: chance.uuid(), thing: `thing${chance.whole(1, 9)}` }
    const got = await this.#through(console, console.routes.read, asked, { readMs, mutationMs })
    over = true
    referee.expect(got === null || got.status !== 500, () => `a page failed in a way that nobody foresaw: ${got?.text}`)
  }

  /** Asks until it is done, or refused; now and then twice at once, as impatient people do. */
  async #change(): Promise<void> {
    const { chance, clock } = this.#options
    const thing = `change${(this.#things += 1)}`
    const key = chance.uuid()
    this.#unsettled.set(thing, key)
    const tries = chance.whole(1, 3)
    this.#underWay += 1
    for (let count = 0; count < tries; count += 1) {
      if (chance.chance(0.15)) void this.#tryChange(thing, key)
      const done = await this.#tryChange(thing, key)
      if (done) break
      await new Promise<void>((resolve) => clock.after(chance.between(100, 1_500), resolve))
    }
    this.#underWay -= 1
  }

  async #tryChange(thing: string, key: string): Promise<boolean> {
    const { chance, changes, cluster, console: present, settings } = this.#options
    const console = present()
    if (console === null) return false
    const target = chance.chance(0.3) ? { target: chance.oneOf(cluster.members).name } : {}
    const id = chance.uuid()
    const { readMs, mutationMs } = settings.limits
    const asked = { id, thing, key, ...(this.#targets.get(key) ?? target) }
    // The same key is only good for the same request.
    this.#targets.set(key, asked.target === undefined ? {} : { target: asked.target })
    const got = await this.#through(console, console.routes.change, asked, { readMs, mutationMs })
    if (got === null) return false
    this.#options.trace.note(`${thing} ${got.status} ${got.code ?? ''}`)
    changes.ended(thing, got)
    return got.status < 300
  }

  readonly #targets = new Map<string, { readonly target?: string }>()

  async #through(
    console: SimulatedConsole,
    row: SimulatedConsole['routes']['read'],
    asked: Asked,
    deadlines: { readonly readMs: number; readonly mutationMs: number },
  ): Promise<Got | null> {
    this.#underWay += 1
    const got = await Promise.race([ask(console, row, asked, deadlines), console.gone.then(() => null)])
    this.#underWay -= 1
    return got
  }
}

type Ended = { readonly answer: Answer<Thing> } | { readonly error: unknown }

async function answerOf(answer: Promise<Answer<Thing>>): Promise<Ended> {
  try {
    return { answer: await answer }
  } catch (error) {
    return { error }
  }
}
