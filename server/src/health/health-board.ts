import type { Health as HealthView } from '@malleus/shared/api/health.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { DatabaseJudgement, DeepRecord } from './database.ts'
import { judgeDatabase, nextDeepRecord, noDeepRecord } from './database.ts'
import { firstAttemptShare, isPanic, nextHealth, unknownHealth } from './health.ts'
import type { Health, Judgement, Moment, Observation } from './health.ts'
import type { HealthSettings } from './health-settings.ts'
import type { Answer, Pace, Peers } from './pace.ts'
import { asksSoon, isLateTogether, isSlow, latenessSince, shareAbove, slowThresholdMs } from './pace.ts'
import { RollingSamples, quantile } from './rolling-samples.ts'

/** What changed on the board. Answer times change all the time and are not announced. */
export type HealthChange =
  /** A member's standing, symptom or reason; `after` is null when it left the cluster, or has another name now. */
  | {
      readonly kind: 'member'
      readonly member: string
      readonly before: Health | null
      readonly after: Health | null
      readonly renamedTo?: string
    }
  | {
      readonly kind: 'cluster'
      readonly panic: boolean
      readonly databaseAvailable: boolean | null
      readonly lateTogether: boolean
    }

interface Row {
  health: Health
  /** Answers to probes in their turn only: people's requests differ in what they ask, so they say nothing about pace. */
  readonly answers: RollingSamples
  medianMs: number | null
  /** Their lower quartile, as it was before it became slow. */
  usualMs: number | null
  /** All answers to light probes of the last moments. */
  lately: readonly Answer[]
  /** It is slow by nothing but the answer with which it came back. */
  returning: boolean
  deep: DeepRecord
}

/**
 * What this console believes of the members of one cluster, from where it stands. Prober and gateway report to it;
 * everybody else reads. It begins empty after each start, and everything on it can be measured again.
 */
export class HealthBoard {
  readonly settings: HealthSettings
  readonly #clock: Clock
  readonly #random: Random
  readonly #rows = new Map<string, Row>()
  readonly #changes = new Subscribable<HealthChange>()
  #database: DatabaseJudgement = { available: null, goneSince: null, cutOff: new Set() }
  #panic = false
  #lateTogetherAt = -Infinity
  #announced = 'false null false'

  constructor({ clock, random, settings }: { clock: Clock; random: Random; settings: HealthSettings }) {
    this.#clock = clock
    this.#random = random
    this.settings = settings
  }

  /**
   * Notes what was seen of a member. What is said of a member that is not on the board is dropped: a request may end
   * after its member has left or has been renamed.
   */
  observe(member: string, observation: Observation): void {
    const row = this.#rows.get(member)
    if (row === undefined) return
    const wasEjected = row.health.evidence.ejected
    this.#apply(member, row, observation)
    switch (observation.kind) {
      case 'probe-answered':
        this.#judgePace(member, row, observation, wasEjected)
        break
      case 'probe-failed':
        // A member that does not answer at all has no say in whether the database does.
        if (row.health.evidence.ejected) this.#noteDeep(row, noDeepRecord)
        break
      case 'deep-answered':
      case 'deep-failed':
        this.#noteDeep(row, nextDeepRecord(row.deep, observation.kind === 'deep-answered', this.#now().monotonicMs))
        break
      case 'authorization':
      case 'certificate':
      case 'request-answered':
      case 'request-failed':
      case 'request-silent':
        break
    }
    this.#judgeCluster()
  }

  /** What is believed of a member; `unknown` for one that is not on the board. */
  current(member: string): Health {
    return this.#rows.get(member)?.health ?? unknownHealth(this.#now())
  }

  /** All members at this moment; the map does not change afterwards. */
  snapshot(): ReadonlyMap<string, Health> {
    return new Map([...this.#rows].map(([member, { health }]) => [member, health]))
  }

  /** The median of its answers to probes in the last minute, in milliseconds; null without one. */
  answerMs(member: string): number | null {
    return this.#rows.get(member)?.answers.quantile(0.5, this.#clock.monotonic()) ?? null
  }

  /** Whether its latest answers were late, so that it should be asked again at once: see `asksSoon`. */
  asksSoon(member: string): boolean {
    const row = this.#rows.get(member)
    return row !== undefined && asksSoon(this.#paceOf(member, row), this.settings)
  }

  /** How a member's health goes over the wire. */
  view(member: string): HealthView {
    const { standing, symptom, since, answeredAt, failure } = this.current(member)
    const answerMs = this.answerMs(member)
    return {
      standing,
      symptom,
      since: instant(since),
      answerMs: answerMs === null ? null : Math.round(answerMs * 100) / 100,
      answeredAt: answeredAt === null ? null : instant(answeredAt),
      failure: failure && { ...failure, at: instant(failure.at) },
    }
  }

  /** The member's share of first attempts now: 1 is a full turn, see `firstAttemptShare`. */
  firstAttemptShare(member: string): number {
    return firstAttemptShare(this.current(member), this.#clock.monotonic(), this.settings)
  }

  /** Whether the cluster database answers on any member; null before anybody asked. */
  get databaseAvailable(): boolean | null {
    return this.#database.available
  }

  /** Since when the database has not answered, wall clock; null while it does, or nobody asked. */
  get databaseGoneSince(): number | null {
    const { goneSince } = this.#database
    if (goneSince === null) return null
    const now = this.#now()
    return now.wallMs - (now.monotonicMs - goneSince)
  }

  /** Whether fewer than half of the measured members answer: no hedging then, and ejected members are tried too. */
  get panic(): boolean {
    return this.#panic
  }

  /**
   * Whether members answer late, and most of them do in the same moments: then it is the network, or this console on a
   * busy machine, and no member is called slow for it.
   */
  get lateTogether(): boolean {
    return this.#clock.monotonic() - this.#lateTogetherAt < LATE_TOGETHER_FOR_MS
  }

  /** Makes exactly these the members of the board; new ones begin as `unknown`. */
  retain(members: readonly string[]): void {
    const wanted = new Set(members)
    for (const [member, { health }] of this.#rows) {
      if (wanted.has(member)) continue
      this.#rows.delete(member)
      this.#changes.publish({ kind: 'member', member, before: health, after: null })
    }
    for (const member of wanted) {
      if (this.#rows.has(member)) continue
      const row = this.#newRow()
      this.#rows.set(member, row)
      this.#changes.publish({ kind: 'member', member, before: null, after: row.health })
    }
    this.#judgeCluster()
  }

  /** The same member under a new name: keeps what is known of it. Takes the place of a member that had that name. */
  rename(from: string, to: string): void {
    const row = this.#rows.get(from)
    if (row === undefined || from === to) return
    const replaced = this.#rows.get(to)?.health ?? null
    this.#rows.delete(from)
    this.#rows.set(to, row)
    this.#changes.publish({ kind: 'member', member: from, before: row.health, after: null, renamedTo: to })
    this.#changes.publish({ kind: 'member', member: to, before: replaced, after: row.health })
  }

  /** Hears every change of a standing, a symptom or its reason, and of the cluster as a whole. */
  subscribe(listener: (change: HealthChange) => void): () => void {
    return this.#changes.subscribe(listener)
  }

  #newRow(): Row {
    return {
      health: unknownHealth(this.#now()),
      answers: new RollingSamples(this.settings.windowMs),
      medianMs: null,
      usualMs: null,
      lately: [],
      returning: false,
      deep: noDeepRecord,
    }
  }

  #apply(member: string, row: Row, seen: Observation | Judgement): void {
    const before = row.health
    row.health = nextHealth(before, seen, this.#now(), this.settings, this.#random.fraction())
    if (isNews(before, row.health)) this.#changes.publish({ kind: 'member', member, before, after: row.health })
  }

  #judgePace(
    member: string,
    row: Row,
    { answerMs, paceMs = answerMs, lostMs = 0, inTurn = true }: Extract<Observation, { kind: 'probe-answered' }>,
    wasEjected: boolean,
  ): void {
    const { settings } = this
    const now = this.#clock.monotonic()
    if (inTurn) {
      row.answers.record(answerMs, now)
      row.medianMs = row.answers.quantile(0.5, now)
      if (!row.health.evidence.slow) row.usualMs = quantile(row.answers.values(now), 0.25)
    }
    row.lately = [...row.lately, { at: now, ms: paceMs, lostMs }]
    const pace = this.#paceOf(member, row)
    const wasSlow = row.health.evidence.slow
    const slow = isSlow(pace, settings)
    if (!slow && isLateTogether(pace, settings)) this.#lateTogetherAt = now
    if (slow === wasSlow) return
    row.returning = slow && wasEjected
    // What was measured before the change no longer describes it.
    row.answers.keepLatest(slow ? 1 : settings.goodProbesToRecover)
    row.lately = []
    const thresholdMs = Math.round(slowThresholdMs(pace.peers.mediansMs, pace.usualMs, settings))
    const message =
      paceMs > thresholdMs
        ? `Answered after ${Math.round(paceMs)} ms; more than ${thresholdMs} ms is slow here.`
        : `More than one answer in twenty took longer than ${thresholdMs} ms.`
    this.#apply(member, row, { kind: 'pace', slow, message })
  }

  #paceOf(member: string, row: Row): Pace {
    const now = this.#clock.monotonic()
    row.lately = row.lately.filter(({ at }) => at > now - this.settings.slowWithinMs)
    const { slow } = row.health.evidence
    const peers = () => this.#peersOf(member, now)
    return {
      wasSlow: slow && row.returning ? 'returning' : slow,
      answersMs: row.answers.values(now),
      usualMs: row.usualMs,
      lately: row.lately,
      get peers() {
        return peers()
      },
      lateTogether: this.lateTogether,
      now,
    }
  }

  #peersOf(member: string, now: number): Peers {
    const others: Row[] = []
    for (const [other, row] of this.#rows) {
      if (other !== member && !row.health.evidence.ejected && !row.health.evidence.slow) others.push(row)
    }
    const peers = evenly(others, PEERS_AT_MOST)
    return {
      mediansMs: peers.flatMap(({ medianMs }) => medianMs ?? []),
      sharesAbove: (thresholdMs) => peers.map(({ answers }) => shareAbove(thresholdMs, answers.values(now))),
      since: (from) => peers.flatMap(({ lately }) => latenessSince(from, lately) ?? []),
    }
  }

  #noteDeep(row: Row, record: DeepRecord): void {
    const wasGone = this.#database.available === false
    row.deep = record
    this.#judgeDatabase()
    if (wasGone && this.#database.available === true) {
      // What failed while it was gone for everybody does not say that the way of one to it is broken.
      for (const each of this.#rows.values()) if (each.deep.failures > 0) each.deep = noDeepRecord
      this.#judgeDatabase()
    }
    for (const [member, each] of this.#rows) {
      const answers = !this.#database.cutOff.has(member)
      if (answers === each.health.evidence.databaseAnswers) continue
      const message = 'It answers, but it does not reach the cluster database, and other servers do.'
      this.#apply(member, each, { kind: 'database', answers, message })
    }
  }

  #judgeDatabase(): void {
    const records = new Map([...this.#rows].map(([member, { deep }]) => [member, deep]))
    const silent = [...this.#rows.values()].filter(({ health }) => health.evidence.ejected).length
    this.#database = judgeDatabase(records, silent, this.settings)
  }

  #judgeCluster(): void {
    const standings = [...this.#rows.values()].map(({ health }) => health.standing)
    this.#panic = isPanic(standings, this.settings)
    const databaseAvailable = this.#database.available
    const { lateTogether } = this
    const now = `${String(this.#panic)} ${String(databaseAvailable)} ${String(lateTogether)}`
    if (now === this.#announced) return
    this.#announced = now
    this.#changes.publish({ kind: 'cluster', panic: this.#panic, databaseAvailable, lateTogether })
  }

  #now(): Moment {
    return { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() }
  }
}

/**
 * Beside so many others a member is held. More would tell the same, and in a cluster of a thousand each of hundreds of
 * answers a second would be held against all answers of the last minute.
 */
const PEERS_AT_MOST = 32

/** At most so many of them, from the first to the last. */
function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items
  return items.filter(
    (_, index) => Math.floor((index * most) / items.length) !== Math.floor(((index - 1) * most) / items.length),
  )
}

/** So that it is said once, and not each time that a few answers were in time. */
const LATE_TOGETHER_FOR_MS = 5_000

/** Whether a listener would want to hear of it: not of each answer, nor of the same failure again. */
function isNews(before: Health, after: Health): boolean {
  return (
    before.standing !== after.standing ||
    before.symptom !== after.symptom ||
    before.failure?.phase !== after.failure?.phase ||
    before.failure?.message !== after.failure?.message ||
    before.evidence.doubted !== after.evidence.doubted
  )
}
