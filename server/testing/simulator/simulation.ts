import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { nothingVerified, verifyLines } from '../../src/audit/verify.ts'
import type { FeedFact } from '../../src/events/event-feed.ts'
import type { GatewaySettings } from '../../src/gateway/gateway-settings.ts'
import { gatewaySettings } from '../../src/gateway/gateway-settings.ts'
import { healthSettings } from '../../src/health/health-settings.ts'
import { BoardLedger } from './board-ledger.ts'
import { Chance } from './chance.ts'
import { ChangeLedger } from './change-ledger.ts'
import { EventLedger } from './event-ledger.ts'
import { Faults } from './faults.ts'
import { Mischief } from './mischief.ts'
import { People } from './people.ts'
import { InvariantBroken, Referee } from './referee.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import type { SimulatedConsole } from './simulated-console.ts'
import { startConsole } from './simulated-console.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedHistory } from './simulated-history.ts'
import { SimulatedKeyStore } from './simulated-key-store.ts'
import { Tab } from './tab.ts'
import { Trace } from './trace.ts'
import { UpstreamLedger } from './upstream-ledger.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface Outcome {
  /** The same for the same seed, whatever machine it runs on. */
  readonly hash: string
  readonly virtualMs: number
  readonly steps: number
  readonly reads: number
  readonly changes: number
  readonly events: number
}

/** Checking the whole history costs as much as writing it; which seeds do it is known from their number. */
const verifiedEvery = 8

/** A run that goes on for ever has lost its way. */
const mostSteps = 400_000

/**
 * One story of a cluster, its console and the people at it, told by chance from a seed: some seconds in which things go
 * wrong, and the time after in which all has to become well. Rejects with InvariantBroken.
 */
export async function simulate(seed: number, { whole = false } = {}): Promise<Outcome> {
  const world = new World(seed, whole)
  // Errors are everyday here, and where they were made is only of interest in a run that somebody looks at.
  const { stackTraceLimit } = Error
  if (!whole) Error.stackTraceLimit = 0
  try {
    return await world.run()
  } catch (error) {
    throw world.report(error)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

class World {
  readonly #seed: number
  readonly #clock = new VirtualClock()
  readonly #trace: Trace
  readonly #referee: Referee
  readonly #chance: Chance
  readonly #settings: GatewaySettings
  readonly #cluster: SimulatedCluster
  readonly #events: EventLedger
  readonly #changes: ChangeLedger
  readonly #upstream: UpstreamLedger
  readonly #boards: BoardLedger
  readonly #mischief: Mischief
  readonly #history: SimulatedHistory
  readonly #keys: SimulatedKeyStore
  readonly #people: People
  readonly #faults: Faults
  readonly #tabs: readonly Tab[]
  readonly #told = new WeakMap<SimulatedConsole, LiveEvent[]>()
  readonly #mode: 'bearer' | 'certificate'
  readonly #busyMs: number
  readonly #lookForMs: number
  #console: SimulatedConsole | null = null
  /** As the console showed them last. */
  #operations: readonly Operation[] = []
  #starts = 0
  /** Verdicts are only owed by a console that lives to give them. */
  #wasKilled = false

  constructor(seed: number, whole: boolean) {
    const clock = this.#clock
    const chance = new Chance(seed, 'story')
    const trace = new Trace(clock, whole)
    const referee = new Referee(trace)
    this.#seed = seed
    this.#chance = chance
    this.#trace = trace
    this.#referee = referee
    this.#mode = chance.oneOf(['bearer', 'certificate'])
    this.#busyMs = chance.between(2_000, 6_000)
    this.#lookForMs = chance.oneOf([500, 8_000])
    this.#settings = settingsFor(chance)
    const disks = {
      history: new SimulatedDisk(clock, new Chance(seed, 'disk of the history')),
      keys: new SimulatedDisk(clock, new Chance(seed, 'disk of the keys')),
    }
    this.#history = new SimulatedHistory(disks.history)
    this.#keys = new SimulatedKeyStore(disks.keys)
    this.#events = new EventLedger(clock, referee, () => this.#cluster.members)
    this.#changes = new ChangeLedger(referee, (request) => this.#history.hasIntent(request))
    const isUntrusted = (member: string): boolean => this.#boards.board?.current(member).standing === 'untrusted'
    this.#upstream = new UpstreamLedger(this.#settings, clock, referee, isUntrusted)
    this.#boards = new BoardLedger(clock, referee)
    this.#mischief = new Mischief(new Chance(seed, 'mischief'), {
      reads: chance.oneOf([0, 0.02, 0.1]),
      changes: chance.oneOf([0, 0.2, 0.5]),
    })
    const parts = { clock, trace, referee, changes: this.#changes, events: this.#events }
    this.#cluster = new SimulatedCluster(
      { ...parts, chance: new Chance(seed, 'cluster') },
      chance.oneOf([1, 2, 3, 3, 3, 4, 5]),
    )
    const console = (): SimulatedConsole | null => this.#console
    this.#people = new People({
      ...parts,
      chance: new Chance(seed, 'people'),
      cluster: this.#cluster,
      settings: this.#settings,
      console,
    })
    this.#faults = new Faults(
      {
        clock,
        chance: new Chance(seed, 'faults'),
        trace,
        cluster: this.#cluster,
        mischief: this.#mischief,
        disks: Object.values(disks),
        killConsole: () => this.#killConsole(),
        begun: (member, fault, untilMs) => this.#boards.begun(member, fault, untilMs),
      },
      this.#busyMs,
    )
    this.#tabs = Array.from({ length: chance.whole(1, 3) }, (_, at) => {
      const name = `tab ${at + 1}`
      const told = (of: SimulatedConsole): readonly LiveEvent[] => this.#told.get(of) ?? []
      return new Tab({ ...parts, name, chance: new Chance(seed, name), console, told })
    })
  }

  async run(): Promise<Outcome> {
    this.#start()
    for (const tab of this.#tabs) {
      tab.connect()
      this.#breakNowAndThen(tab)
    }
    this.#faults.plan()
    this.#happenNowAndThen()
    this.#people.work(this.#busyMs, this.#chance.oneOf([60, 120, 250]))
    await this.#pass(this.#busyMs)
    this.#faults.end()
    await this.#becomeCalm()
    await this.#settle()
    const { steps } = this.#clock
    return {
      hash: this.#trace.hash,
      virtualMs: this.#clock.monotonic(),
      steps,
      reads: this.#people.reads,
      changes: this.#changes.count,
      events: this.#events.count,
    }
  }

  report(error: unknown): Error {
    const what = error instanceof Error ? error.message : String(error)
    const steps = this.#trace.last().map((line) => `  ${line}`)
    const again = `MALLEUS_SEED=${this.#seed} shows it again`
    return new InvariantBroken(`seed ${this.#seed}: ${what}\n${steps.join('\n')}\n(${again})`, { cause: error })
  }

  /** Time passes, until something is wrong. */
  async #pass(ms: number, until: () => boolean = () => false): Promise<void> {
    const clock = this.#clock
    await clock.run(clock.monotonic() + ms, () => this.#referee.verdict !== null || clock.steps > mostSteps || until())
    if (this.#referee.verdict !== null) throw new Error(this.#referee.verdict)
    if (clock.steps > mostSteps) throw new Error('it never comes to rest')
  }

  /** From the end of the last fault on, the board has its time to come to the truth, and everybody to end. */
  async #becomeCalm(): Promise<void> {
    await this.#pass(1_000)
    await this.#pass(5_000, () => this.#console !== null)
    const boundMs = this.#boards.calmsWithinMs
    let isCalm = false
    await this.#pass(boundMs, () => (isCalm = this.#boards.isCalm))
    this.#referee.expect(isCalm, () => {
      return `all has been well for ${Math.round(boundMs)} ms, and the board says ${this.#boards.describe()}`
    })
    const { mutationMs, listMs } = this.#settings.limits
    await this.#pass(mutationMs + listMs + 10_000, () => this.#people.underWay === 0)
    this.#referee.expect(this.#people.underWay === 0, () => `${this.#people.underWay} requests never end`)
    await this.#pass(10_000, () => this.#console?.audit.waiting === 0)
    const asking = { over: false }
    void this.#people.askAgain().then(() => (asking.over = true))
    await this.#pass(60_000, () => asking.over)
    this.#referee.expect(asking.over, () => 'asking again for changes never ends')
    // The last word on what is unknown, the last list of what runs, and the last event on its way.
    for (let round = 0; round < 50; round += 1) {
      await this.#pass(1_000)
      await this.#lookAtOperations()
      if (this.#isSettled) break
    }
  }

  get #isSettled(): boolean {
    const streams = this.#console?.watch.feed.members.length ?? 0
    return (
      streams === Math.min(2, this.#cluster.members.length) &&
      this.#tabs.every(({ isUpToDate }) => isUpToDate) &&
      this.#operations.every(isFinished) &&
      (this.#wasKilled || !this.#changes.hasOpenQuestions)
    )
  }

  async #lookAtOperations(): Promise<void> {
    const looking = { over: false }
    void this.#console?.watch.operations.list().then(({ operations }) => {
      this.#operations = operations
      looking.over = true
    })
    await this.#pass(1_000, () => looking.over)
  }

  async #settle(): Promise<void> {
    this.#changes.settle(!this.#wasKilled)
    this.#events.settle()
    for (const [at, tab] of this.#tabs.entries()) {
      this.#referee.expect(tab.isUpToDate, () => `tab ${at + 1} has not heard everything`)
    }
    this.#settleOperations()
    if (this.#seed % verifiedEvery === 0) {
      const { breach } = verifyLines(nothingVerified, this.#history.lines)
      this.#referee.expect(breach === null, () => breach?.message ?? '')
    }
    const { waiting } = this.#clock
    this.#referee.expect(waiting < 300, () => `${waiting} timers wait when nothing is under way`)
    const connections = this.#console?.transport.connections ?? 0
    this.#referee.expect(connections < 300, () => `${connections} connections are open when nothing is under way`)
    if (this.#referee.verdict !== null) throw new Error(this.#referee.verdict)
  }

  /** No work is shown as running that nobody does, and none is said to have ended well that has not. */
  #settleOperations(): void {
    for (const operation of this.#operations) {
      const truth = this.#cluster.workStatus(operation.id)
      this.#referee.expect(
        isFinished(operation),
        () => `${operation.id} is shown as ${operation.status}, and is ${truth}`,
      )
      const wrong =
        (operation.status === 'success' && truth === 400) || (operation.status === 'failure' && truth === 200)
      this.#referee.expect(!wrong, () => `${operation.id} is shown as ${operation.status}, and ended with ${truth}`)
    }
  }

  #start(): void {
    this.#starts += 1
    void startConsole(
      {
        seed: this.#seed,
        clock: this.#clock,
        trace: this.#trace,
        cluster: this.#cluster,
        mischief: this.#mischief,
        upstream: this.#upstream,
        history: this.#history,
        keys: this.#keys,
        mode: this.#mode,
        settings: this.#settings,
        lookForMs: this.#lookForMs,
        health: healthSettings({ ejectionMs: 1_000, ejectionAtMostMs: 4_000 }),
        heard: (fact) => this.#heard(fact),
        published: (console, event) => this.#told.get(console)?.push(event),
        found: (thing, verdict) => {
          this.#trace.note(`${thing} was found ${verdict.kind}`)
          this.#changes.found(thing, verdict)
        },
      },
      this.#starts,
    ).then(
      (console) => {
        this.#trace.note(`console ${this.#starts} runs`)
        this.#console = console
        this.#told.set(console, [])
        this.#boards.board = console.board
        this.#events.listensFrom()
      },
      () => this.#clock.after(300, () => this.#start()),
    )
  }

  #killConsole(): void {
    if (this.#console === null) return
    this.#trace.note('the console is killed')
    this.#wasKilled = true
    this.#console.kill()
    this.#console = null
    this.#boards.board = null
    this.#clock.after(this.#chance.between(100, 1_000), () => this.#start())
  }

  #heard(fact: FeedFact): void {
    const wallOffset = this.#clock.now() - this.#clock.monotonic()
    if (fact.kind === 'gap') {
      this.#trace.note(`gap of ${fact.to - fact.from} ms: ${fact.reason}`)
      this.#events.missed(fact.from - wallOffset, fact.to - wallOffset)
      return
    }
    const number = Number(fact.event.timestamp.slice(-7, -1))
    this.#events.told(number)
  }

  #happenNowAndThen(): void {
    this.#clock.after(this.#chance.waiting(200), () => {
      this.#cluster.happen()
      if (this.#clock.monotonic() < this.#busyMs + 2_000) this.#happenNowAndThen()
    })
  }

  #breakNowAndThen(tab: Tab): void {
    this.#clock.after(this.#chance.waiting(1_500), () => {
      if (this.#clock.monotonic() >= this.#busyMs) return
      tab.break()
      this.#breakNowAndThen(tab)
    })
  }
}

/** Small numbers, so that limits are met in a short story; and now and then the shipped ones. */
function settingsFor(chance: Chance): GatewaySettings {
  const deadlines = { readMs: 2_000, listMs: 3_000, mutationMs: 4_000 }
  const narrow = { readsPerMember: 4, listsPerMember: 2, mutationsPerMember: 2, queuePerMember: 6, queueMs: 300 }
  const mean = { budgetCapacity: chance.oneOf([1, 5]), budgetPerSecond: chance.oneOf([0.2, 2]) }
  return gatewaySettings({
    hedging: chance.chance(0.3) ? {} : mean,
    limits: { ...deadlines, ...(chance.chance(0.5) ? {} : narrow) },
  })
}
