import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import { z } from 'zod'
import type { ProbeReport, ProbeRequest, Transport } from '../gateway/transport.ts'
import type { HealthBoard } from '../health/health-board.ts'
import { lightIntervalMs } from '../health/health-settings.ts'
import type { Observation } from '../health/health.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { jittered } from '../lib/random.ts'
import type { ClockSkew } from './clock-skew.ts'
import { ClockSkewMeter } from './clock-skew.ts'
import type { HeldUp } from './held-up.ts'
import type { ProbeEnd, Question } from './probe.ts'
import { probe } from './probe.ts'

/** What one member presented in the last handshake that came that far; `seenAt` is wall clock. */
export interface LastPresented extends NonNullable<ProbeReport['presented']> {
  readonly seenAt: number
}

export interface MemberProbesOptions {
  readonly transport: Pick<Transport, 'probe'>
  readonly board: HealthBoard
  /** What carries people's requests in this cluster, and so what a member has to be able to check. */
  readonly mode: 'bearer' | 'certificate'
  /** Whether there is a console identity, without which nothing deep can be asked. */
  readonly deep: boolean
  /** The path of a deep question about that member, with `/1.0`. */
  readonly deepPath: (member: string) => string
  readonly clock: Clock
  readonly random: Random
  /** Whether this console is the one that is late. */
  readonly heldUp: HeldUp
  /** How many members are probed, which decides how often. */
  readonly members: () => number
  /** The member presented another certificate than the last time, or one that is judged otherwise. */
  readonly onPresented: (member: string) => void
  /** Hears how long each answer to a light question took, in milliseconds. */
  readonly onAnswered: (answerMs: number) => void
  /** Hears every probe that has ended, of the member as it is called then. */
  readonly onRecord: (member: string, record: ProbeRecord) => void
  /** The member was late and is asked again at once: another one should be asked beside it. */
  readonly onLate: (member: string) => void
  /** Whether it may be asked again at once, if it `wants`: so many are asked that way, and no more. */
  readonly maySoon: (wants: boolean) => boolean
}

interface LightQuestion {
  readonly connection?: Question['connection']
  /** Put because its time had come, and not because there is reason to doubt. */
  readonly inTurn: boolean
}

/**
 * Asks one member, in time: a light question several times a second on a warm connection, every tenth on a new one,
 * quickly again after a failure or a late answer, and a deep one now and then. It reports to the board and judges
 * nothing itself.
 */
export class MemberProbes {
  readonly #options: MemberProbesOptions
  readonly #skew = new ClockSkewMeter()
  #member: ProbeRequest['member']
  #records: ProbeRecord[] = []
  #presented: LastPresented | null = null
  #identityRefused: string | null = null
  #askedInTurn = 0
  #isAsking = false
  /** Number of the latest light question: one that was overtaken by it says nothing any more. */
  #latest = 0
  #cancelLight: () => void = () => {}
  #cancelDeep: () => void = () => {}
  #isAskedDeep = false
  #hurriedAt = -Infinity
  /** When the last question on a new connection was put; monotonic. */
  #coldAt = -Infinity
  /** How long the slowest phase of the latest answered question took. */
  #slowestPhaseMs = 0
  #stopped = false

  constructor(member: ProbeRequest['member'], options: MemberProbesOptions) {
    this.#member = member
    this.#options = options
  }

  /** Asks at once, and the deep question soon after, so that members are not all asked in the same moment. */
  start(): void {
    this.#askLight({ inTurn: true })
    if (this.#options.deep) this.#planDeep(this.#options.random.fraction() * FIRST_DEEP_WITHIN_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelLight()
    this.#cancelDeep()
  }

  /** The same member under another name. */
  rename(member: ProbeRequest['member']): void {
    this.#member = member
  }

  /** Asks now, on a new connection, because somebody has reason to doubt. */
  hurry(): void {
    const now = this.#options.clock.monotonic()
    if (this.#stopped || now - this.#hurriedAt < this.#settings.reprobeAfterMs) return
    this.#hurriedAt = now
    this.#askLight({ connection: 'new', inTurn: false })
  }

  /** Looks at its certificate now, on a new connection, unless it is being asked: what is silent is not interrupted. */
  look(): void {
    if (!this.#stopped && !this.#isAsking) this.#askLight({ connection: 'new', inTurn: false })
  }

  /** Asks now, unless it is being asked, because another member was late: whether this one is as well tells why. */
  askBeside(): void {
    if (!this.#stopped && !this.#isAsking) this.#askLight({ inTurn: false })
  }

  /** Asks the cluster database now, because others may have lost it. Nothing while it is being asked. */
  hurryDeep(): void {
    if (this.#stopped || this.#isAskedDeep || !this.#options.deep) return
    this.#planDeep(0)
  }

  /** The most recent probes, newest first. */
  get records(): readonly ProbeRecord[] {
    return this.#records
  }

  get presented(): LastPresented | null {
    return this.#presented
  }

  get skew(): ClockSkew | null {
    return this.#skew.skew
  }

  /** Why the member refuses the console's own identity, in its words; null when it does not, as far as is known. */
  get identityRefused(): string | null {
    return this.#identityRefused
  }

  get #settings() {
    return this.#options.board.settings
  }

  get #health() {
    return this.#options.board.current(this.#member.name)
  }

  #askLight({ connection, inTurn }: LightQuestion): void {
    this.#cancelLight()
    this.#isAsking = true
    const { failedProbes, ejected, trusted, slow } = this.#health.evidence
    const doubtful = failedProbes > 0 || ejected || !trusted
    const isNth = inTurn && this.#askedInTurn % this.#settings.coldEvery === 0
    const cold = doubtful || connection === 'new' || isNth || this.#isColdOverdue
    if (cold) this.#coldAt = this.#options.clock.monotonic()
    if (inTurn) this.#askedInTurn += 1
    const { phaseTimeoutMs, lightTimeoutMs, lingerMs } = this.#settings
    const timeoutMs = cold ? phaseTimeoutMs : lightTimeoutMs
    const question: Question = {
      kind: cold ? 'cold' : 'light',
      member: this.#member,
      path: '/1.0',
      connection: cold ? 'new' : 'warm',
      // A member that is known to be slow gets its time: else it would be called stuck every other moment.
      phaseTimeoutMs: slow ? Math.max(timeoutMs, Math.min(2 * this.#slowestPhaseMs, 0.75 * lingerMs)) : timeoutMs,
      lingerMs: Math.max(lingerMs, 2 * timeoutMs),
    }
    void this.#light(question, inTurn)
  }

  /** Who is asked out of turn again and again would else be asked on an old connection for long, whatever it presents. */
  get #isColdOverdue(): boolean {
    const roundMs = this.#settings.coldEvery * lightIntervalMs(this.#options.members(), this.#settings)
    return this.#options.clock.monotonic() - this.#coldAt > 1.3 * roundMs
  }

  async #light(question: Question, inTurn: boolean): Promise<void> {
    const { transport, clock, heldUp } = this.#options
    const number = (this.#latest += 1)
    const startedAt = clock.monotonic()
    const overtaken = () => this.#stopped || number !== this.#latest
    const wasEjected = this.#health.evidence.ejected
    const endWatch = heldUp.watch()
    const ended = await probe(transport, clock, question, (failure) => {
      if (overtaken()) return
      this.#observe({ kind: 'probe-failed', failure })
      // While this one is still listened to, another one is put: the first failures must not take long to count. Who
      // is out already is asked one question at a time, or those that it cannot answer would pile up there.
      if (!wasEjected) this.#planLight(true, startedAt)
    })
    const heldUpMs = endWatch()
    this.#note(ended)
    if (number === this.#latest) this.#isAsking = false
    if (ended.failure === null && !this.#stopped) {
      // However late, and whatever was asked since: an answer is an answer.
      this.#latest += 1
      this.#cancelLight()
      this.#isAsking = false
      this.#answered(ended, heldUpMs, inTurn)
      this.#planLight(false, startedAt)
    } else if (ended.failure !== null && !overtaken()) {
      this.#observe({ kind: 'probe-failed', failure: ended.failure, counts: !ended.wasSilent })
      if (!ended.wasSilent || wasEjected) this.#planLight(!wasEjected, startedAt)
    }
  }

  #planLight(again: boolean, startedAt: number): void {
    const { clock, random, members, board, onLate, maySoon } = this.#options
    const { reprobeAfterMs, jitter, soonMs } = this.#settings
    const { name } = this.#member
    if (!again && maySoon(board.asksSoon(name))) {
      const pauseMs = Math.min(soonMs, (clock.monotonic() - startedAt) / 2)
      this.#cancelLight = clock.after(jittered(pauseMs, 0.5, random), () => {
        this.#askLight({ inTurn: false })
        onLate(name)
      })
      return
    }
    const everyMs = jittered(lightIntervalMs(members(), this.#settings), jitter, random)
    const tookMs = clock.monotonic() - startedAt
    this.#cancelLight = clock.after(again ? reprobeAfterMs : Math.max(reprobeAfterMs, everyMs - tookMs), () =>
      this.#askLight({ inTurn: !again }),
    )
  }

  #planDeep(delayMs: number): void {
    this.#cancelDeep()
    this.#cancelDeep = this.#options.clock.after(delayMs, () => void this.#askDeep())
  }

  async #askDeep(): Promise<void> {
    const { transport, clock, random, deepPath } = this.#options
    const { deepEveryMs, deepAgainMs, deepTimeoutMs, jitter } = this.#settings
    const { standing } = this.#health
    let again = true
    // What does not answer at all has no news of the database, and nothing is sent to who is not trusted.
    if (standing !== 'ejected' && standing !== 'untrusted' && standing !== 'unknown') {
      this.#isAskedDeep = true
      const ended = await probe(transport, clock, {
        kind: 'deep',
        member: this.#member,
        path: deepPath(this.#member.name),
        connection: 'warm',
        phaseTimeoutMs: deepTimeoutMs,
      })
      this.#isAskedDeep = false
      if (this.#stopped) return
      this.#note(ended)
      again = !this.#deepEnded(ended)
    }
    this.#planDeep(jittered(again ? deepAgainMs : deepEveryMs, jitter, random))
  }

  /** Whether the database answered. */
  #deepEnded({ reply, failure }: ProbeEnd): boolean {
    if (reply === null) {
      this.#observe({ kind: 'deep-failed', message: failure?.message ?? 'It did not answer.' })
      return false
    }
    const said = saidIn(reply)
    if (saysDatabaseIsGone(reply.status, said)) {
      this.#observe({ kind: 'deep-failed', message: said })
      return false
    }
    this.#databaseAnswered(reply, said)
    return true
  }

  #databaseAnswered(reply: NonNullable<ProbeEnd['reply']>, said: string): void {
    this.#observe({ kind: 'deep-answered' })
    this.#identityRefused = reply.status === 401 || reply.status === 403 ? said : null
    if (this.#options.mode !== 'certificate') return
    if (this.#identityRefused === null) this.#observe({ kind: 'authorization', works: true })
    else {
      const message = `It refuses the console's own identity: ${said}`
      this.#observe({ kind: 'authorization', works: false, message })
    }
  }

  #answered({ fresh, answerMs, reply, record, replyMs }: ProbeEnd, heldUpMs: number, inTurn: boolean): void {
    const handshakeMs = Math.max(record.connectMs ?? 0, record.tlsMs ?? 0)
    this.#slowestPhaseMs = Math.max(handshakeMs, replyMs ?? 0)
    const slowestMs = Math.max(handshakeMs, answerMs ?? 0)
    const lostMs = Math.min(heldUpMs, slowestMs)
    // What was measured while the console was busy with itself says nothing of what is usual for the member.
    this.#observe({
      kind: 'probe-answered',
      answerMs: answerMs ?? 0,
      fresh,
      paceMs: slowestMs - lostMs,
      lostMs,
      inTurn: inTurn && heldUpMs === 0,
    })
    if (answerMs !== null) this.#options.onAnswered(answerMs)
    // The list of extensions makes it a long text to read, and it hardly ever changes: once per new connection.
    if (this.#options.mode !== 'bearer' || !fresh || reply === null) return
    const methods = PublicServer.safeParse(jsonOf(reply.body))
    if (!methods.success) return
    if (methods.data.metadata.auth_methods.includes('oidc')) this.#observe({ kind: 'authorization', works: true })
    else {
      const message =
        "It cannot check people's tokens: OpenID Connect is not set up there (oidc.issuer, oidc.client.id)."
      this.#observe({ kind: 'authorization', works: false, message })
    }
  }

  #observe(observation: Observation): void {
    this.#options.board.observe(this.#member.name, observation)
  }

  /** Keeps what a probe showed, whatever became of it. */
  #note({ record, presented, reply }: ProbeEnd): void {
    const { clock, onPresented, onRecord } = this.#options
    onRecord(this.#member.name, record)
    this.#records = [record, ...this.#records.slice(0, RECORDS_KEPT - 1)]
    if (presented !== null) {
      const before = this.#presented
      this.#presented = { ...presented, seenAt: clock.now() }
      const same = before?.certificate.fingerprint256 === presented.certificate.fingerprint256
      if (!same || before?.verdict !== presented.verdict) onPresented(this.#member.name)
    }
    const date = Date.parse(String(reply?.headers['date']))
    if (reply === null || Number.isNaN(date)) return
    const answeredAt = clock.now() - (clock.monotonic() - reply.answeredAt)
    this.#skew.note(answeredAt - (record.firstByteMs ?? 0), answeredAt, date)
  }
}

const RECORDS_KEPT = 60
const FIRST_DEEP_WITHIN_MS = 1_000

const PublicServer = z.object({ metadata: z.object({ auth_methods: z.array(z.string()) }) })
const Refusal = z.object({ error: z.string() })

function saidIn(reply: NonNullable<ProbeReport['reply']>): string {
  const refusal = Refusal.safeParse(jsonOf(reply.body))
  return refusal.success ? refusal.data.error.slice(0, 512) : `HTTP ${reply.status}`
}

/** Without a leader Incus answers 503 or 500, and says so in words only (measured with 6.0.4 and 7.0). */
function saysDatabaseIsGone(status: number, said: string): boolean {
  return (status === 503 || status === 500) && /cowsql|leader|context deadline|transaction|database/i.test(said)
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
