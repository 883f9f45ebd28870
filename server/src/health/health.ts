/**
 * What we believe of one member, and how each thing we see changes it. Pure: no time, chance or network of its own.
 *
 * The words are those of Envoy's outlier detection and HAProxy's checks: *active* evidence comes from probes, *passive*
 * evidence from people's requests. Passive evidence only casts doubt; the prober then asks at once, and only probes
 * eject and readmit.
 *
 * - `unknown`: nothing was measured yet. One good probe is enough to be healthy: at start there is no reason to doubt.
 * - `healthy`: answers in time.
 * - `suspect`: one probe failed, or a request was cut off or stayed silent while another member answered, or it answers
 *   much later than the rest. It moves behind the healthy members at once, which costs nothing if we were wrong.
 * - `degraded`: it answers, but what is behind it does not: its way to the cluster database, or its check of people's
 *   tokens or of the console's identity; or it was left behind with an old certificate. Last in order, still used.
 * - `ejected`: two probes in a row failed. Asked only when nobody else is left, and probed on.
 * - `probation`: it answered a probe after it was ejected. It takes a small share after its ejection time is over, which
 *   doubles with each ejection, so that a member that comes and goes does not take requests with it each time; after
 *   two more good probes it is healthy, and its share grows to a full one in ten seconds.
 * - `untrusted`: what answers there is not known to be a server of this cluster. Nothing is sent to it until a new
 *   handshake shows a certificate that is.
 */
import type { ProbePhase, Standing, Symptom } from '@malleus/shared/domain/health.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import type { HealthSettings } from './health-settings.ts'

/** Now, twice: `wallMs` since 1970 for people, `monotonicMs` for durations, which no change of the clock may bend. */
export interface Moment {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** How a question failed, as the socket or the reply said it. */
export interface Failure {
  readonly phase: ProbePhase
  /**
   * - `refused`: the machine answered that nothing listens there.
   * - `no-route`: the network said that it cannot deliver, or the name has no address.
   * - `closed`: the connection was reset, ended, or spoke something else than TLS and HTTP.
   * - `silent`: nothing came in the time given.
   * - `starting`: HTTP 503, "Daemon is starting up".
   * - `wrong-certificate`: the handshake showed a certificate that is not the cluster's.
   */
  readonly how: 'refused' | 'no-route' | 'closed' | 'silent' | 'starting' | 'wrong-certificate'
  /** Whether the connection was made for this question. On an old one, silence does not tell a hung member from a cut link. */
  readonly fresh: boolean
  /** The connection of the question before was ended by the member, without a word: it may have been started anew. */
  readonly reconnected?: boolean
  /** For people, e.g. "No answer within 400 ms." */
  readonly message: string
}

/** Everything that can be seen of a member. The prober and the gateway report it; nobody else judges. */
export type Observation =
  /**
   * `fresh`: on a new connection whose certificate was checked. `paceMs`: how long the slowest part took that the member
   * has to answer for; `answerMs` when absent. `lostMs`: how much of the time this console itself was busy. `inTurn`: false for one asked for a reason, which
   * says nothing of how often answers are late.
   */
  | {
      readonly kind: 'probe-answered'
      readonly answerMs: number
      readonly fresh: boolean
      readonly paceMs?: number
      readonly lostMs?: number
      readonly inTurn?: boolean
    }
  /** `counts: false` for the end of a probe whose silence was reported before: better evidence, not a second failure. */
  | { readonly kind: 'probe-failed'; readonly failure: Failure; readonly counts?: boolean }
  /** A request for the console's own identity that went through the cluster database. */
  | { readonly kind: 'deep-answered' }
  | { readonly kind: 'deep-failed'; readonly message: string }
  /** Whether it takes the credentials that requests carry in this cluster's mode; `message` says why not. */
  | { readonly kind: 'authorization'; readonly works: true }
  | { readonly kind: 'authorization'; readonly works: false; readonly message: string }
  /** Whether what it presents is what the cluster has, where both are trusted; `message` says what is wrong. */
  | { readonly kind: 'certificate'; readonly agrees: true }
  | { readonly kind: 'certificate'; readonly agrees: false; readonly message: string }
  | { readonly kind: 'request-answered'; readonly answerMs: number }
  | { readonly kind: 'request-failed'; readonly failure: Failure }
  /** It stayed silent for twice the hedge delay while another member answered. */
  | { readonly kind: 'request-silent'; readonly waitedMs: number }

/** What only the whole board can see, by comparing members. */
export type Judgement =
  | { readonly kind: 'pace'; readonly slow: boolean; readonly message: string }
  | { readonly kind: 'database'; readonly answers: boolean; readonly message: string }

export interface Health {
  readonly standing: Standing
  readonly symptom: Symptom | null
  /** When this standing and symptom began; wall clock. */
  readonly since: number
  /** When it last answered anything; wall clock. */
  readonly answeredAt: number | null
  /** Why the last question failed, while it is not healthy. `at` is wall clock. */
  readonly failure: { readonly phase: ProbePhase; readonly message: string; readonly at: number } | null
  readonly evidence: Evidence
}

/** What the standing follows from. Times are monotonic. */
export interface Evidence {
  /** Whether any probe has ended yet. */
  readonly measured: boolean
  readonly trusted: boolean
  /** Failed probes in a row. */
  readonly failedProbes: number
  /** A request gave reason to doubt, and no probe has answered since. */
  readonly doubted: boolean
  /** What the present failures look like; null when they do not tell. */
  readonly fault: Symptom | null
  /** It was down or cut off, and has not answered a probe since: if TLS answers and HTTP does not, it is starting. */
  readonly away: boolean
  readonly ejected: boolean
  /** Since the ejection time of its last ejection is counted from here on. */
  readonly ejections: number
  readonly heldUntil: number | null
  /** Good probes since it was readmitted; null when it is not on probation. */
  readonly probation: number | null
  /** When probation ended: the beginning of the slow start. */
  readonly recoveredAt: number | null
  readonly slow: boolean
  readonly databaseAnswers: boolean
  readonly authorized: boolean
  readonly certificateAgrees: boolean
}

/** Before anything was measured. */
export function unknownHealth(now: Moment): Health {
  return {
    standing: 'unknown',
    symptom: null,
    since: now.wallMs,
    answeredAt: null,
    failure: null,
    evidence: {
      measured: false,
      trusted: true,
      failedProbes: 0,
      doubted: false,
      fault: null,
      away: true,
      ejected: false,
      ejections: 0,
      heldUntil: null,
      probation: null,
      recoveredAt: null,
      slow: false,
      databaseAnswers: true,
      authorized: true,
      certificateAgrees: true,
    },
  }
}

/**
 * What we believe after seeing something.
 *
 * @param fraction chance, from 0 up to 1: how long an ejection lasts within its jitter
 */
export function nextHealth(
  health: Health,
  seen: Observation | Judgement,
  now: Moment,
  settings: HealthSettings,
  fraction: number,
): Health {
  const learned = learn(health, seen, now, settings, fraction)
  const standing = standingOf(learned.evidence)
  const symptom = symptomOf(learned.evidence)
  const same = standing === health.standing && symptom === health.symptom
  return {
    ...learned,
    standing,
    symptom,
    since: same ? health.since : now.wallMs,
    failure: standing === 'healthy' || standing === 'unknown' ? null : learned.failure,
  }
}

/**
 * How much of its turn a member should take as the first choice of requests: 1 is a full share. Nothing while it is
 * not healthy or its ejection time is not over: it is then asked only after others.
 */
export function firstAttemptShare(health: Health, monotonicMs: number, settings: HealthSettings): number {
  const { heldUntil, recoveredAt } = health.evidence
  switch (health.standing) {
    case 'healthy': {
      if (recoveredAt === null || settings.slowStartMs === 0) return 1
      const grown = Math.min(1, (monotonicMs - recoveredAt) / settings.slowStartMs)
      return settings.slowStartShare + (1 - settings.slowStartShare) * grown
    }
    case 'probation':
      return heldUntil !== null && monotonicMs < heldUntil ? 0 : settings.slowStartShare
    case 'unknown':
      return 1
    case 'suspect':
    case 'degraded':
    case 'ejected':
    case 'untrusted':
      return 0
  }
}

/**
 * Whether too few members answer to believe the checks: below half it is as likely that we are cut off as that they
 * are. Members of which nothing is known count neither way.
 */
export function isPanic(standings: Iterable<Standing>, settings: HealthSettings): boolean {
  const measured = [...standings].filter((standing) => standing !== 'unknown')
  const answering = measured.filter((standing) => badness(standing) <= badness('probation') || standing === 'degraded')
  return measured.length > 0 && answering.length < measured.length * settings.panicBelow
}

type Learned = Pick<Health, 'answeredAt' | 'failure' | 'evidence'>

function learn(
  health: Health,
  seen: Observation | Judgement,
  now: Moment,
  settings: HealthSettings,
  fraction: number,
): Learned {
  const { answeredAt, failure, evidence } = health
  switch (seen.kind) {
    case 'probe-answered':
      return { answeredAt: now.wallMs, failure, evidence: afterAnswer(evidence, seen.fresh, now, settings) }
    case 'probe-failed':
      return {
        answeredAt,
        failure: { phase: seen.failure.phase, message: seen.failure.message, at: now.wallMs },
        evidence: afterFailedProbe(evidence, seen, now, settings, fraction),
      }
    case 'request-answered':
    case 'deep-answered':
      return { answeredAt: now.wallMs, failure, evidence }
    case 'request-failed':
      return {
        answeredAt,
        failure: { phase: seen.failure.phase, message: seen.failure.message, at: now.wallMs },
        evidence: { ...afterFailure(evidence, seen.failure), doubted: true },
      }
    case 'request-silent': {
      const message = `Silent for ${Math.round(seen.waitedMs)} ms while another server answered.`
      return {
        answeredAt,
        failure: { phase: 'answer', message, at: now.wallMs },
        evidence: { ...evidence, doubted: true },
      }
    }
    case 'deep-failed':
      // One member's failure says nothing by itself: the board compares, and judges.
      return { answeredAt, failure, evidence }
    case 'authorization':
      return {
        answeredAt,
        failure: seen.works ? failure : { phase: 'answer', message: seen.message, at: now.wallMs },
        evidence: { ...evidence, authorized: seen.works },
      }
    case 'certificate':
      return {
        answeredAt,
        failure: seen.agrees ? failure : { phase: 'certificate', message: seen.message, at: now.wallMs },
        evidence: { ...evidence, certificateAgrees: seen.agrees },
      }
    case 'pace':
      return {
        answeredAt,
        failure: seen.slow ? { phase: 'answer', message: seen.message, at: now.wallMs } : failure,
        evidence: { ...evidence, slow: seen.slow },
      }
    case 'database':
      return {
        answeredAt,
        failure: seen.answers ? failure : { phase: 'answer', message: seen.message, at: now.wallMs },
        evidence: { ...evidence, databaseAnswers: seen.answers },
      }
  }
}

function afterAnswer(evidence: Evidence, fresh: boolean, now: Moment, settings: HealthSettings): Evidence {
  // Only a new handshake shows who is there now; an old connection proves the certificate it was opened with.
  if (!evidence.trusted && !fresh) return evidence
  const answered: Evidence = {
    ...evidence,
    measured: true,
    trusted: true,
    failedProbes: 0,
    doubted: false,
    fault: null,
    away: false,
    ejected: false,
  }
  if (evidence.ejected || !evidence.trusted) return { ...answered, probation: 0, recoveredAt: null }
  if (evidence.probation === null) return forgiven(answered, now, settings)
  const probation = evidence.probation + 1
  const held = evidence.heldUntil !== null && now.monotonicMs < evidence.heldUntil
  if (held || probation < settings.goodProbesToRecover) return { ...answered, probation }
  return { ...answered, probation: null, heldUntil: null, recoveredAt: now.monotonicMs }
}

function forgiven(evidence: Evidence, now: Moment, settings: HealthSettings): Evidence {
  if (evidence.recoveredAt === null || now.monotonicMs - evidence.recoveredAt < settings.forgiveAfterMs) return evidence
  return { ...evidence, ejections: 0, recoveredAt: null }
}

function afterFailedProbe(
  evidence: Evidence,
  seen: Extract<Observation, { kind: 'probe-failed' }>,
  now: Moment,
  settings: HealthSettings,
  fraction: number,
): Evidence {
  const failed = { ...afterFailure(evidence, seen.failure), measured: true }
  if (seen.counts === false) return failed
  const failedProbes = evidence.failedProbes + 1
  if (failed.ejected || !failed.trusted || failedProbes < settings.failuresToEject) return { ...failed, failedProbes }
  const ejections = evidence.ejections + 1
  const exact = Math.min(settings.ejectionAtMostMs, settings.ejectionMs * 2 ** (ejections - 1))
  const heldFor = exact * (1 + settings.ejectionJitter * (2 * fraction - 1))
  return {
    ...failed,
    failedProbes,
    ejected: true,
    ejections,
    heldUntil: now.monotonicMs + heldFor,
    probation: null,
    recoveredAt: null,
  }
}

/** What any failure teaches, whoever met it. */
function afterFailure(evidence: Evidence, failure: Failure): Evidence {
  const gone = failure.how === 'refused' || failure.how === 'closed' || failure.phase === 'connect'
  const away = evidence.away || gone || failure.reconnected === true
  const fault = faultOf(failure, away) ?? evidence.fault
  const trusted = evidence.trusted && failure.phase !== 'certificate'
  return { ...evidence, away, fault, trusted }
}

/** What a failure looks like to a person; null when it does not tell. */
function faultOf(failure: Failure, away: boolean): Symptom | null {
  const { phase, how, fresh } = failure
  switch (phase) {
    case 'resolve':
      return 'unreachable'
    case 'connect':
      return how === 'refused' || how === 'closed' ? 'refusing' : 'unreachable'
    case 'tls':
      // The kernel accepts connections for a stopped process, and nobody speaks TLS on them.
      return how === 'silent' ? 'stuck' : 'refusing'
    case 'certificate':
      return 'wrong-certificate'
    case 'answer':
      if (how === 'starting') return 'starting'
      if (!fresh) return null
      if (how === 'silent') return away ? 'starting' : 'stuck'
      return 'refusing'
  }
}

function standingOf(evidence: Evidence): Standing {
  if (!evidence.trusted) return 'untrusted'
  if (evidence.ejected) return 'ejected'
  const possible: Standing[] = [evidence.measured ? 'healthy' : 'unknown']
  if (evidence.probation !== null) possible.push('probation')
  if (evidence.doubted || evidence.slow || evidence.failedProbes > 0) possible.push('suspect')
  if (!evidence.databaseAnswers || !evidence.authorized || !evidence.certificateAgrees) possible.push('degraded')
  return possible.reduce((worst, next) => (badness(next) > badness(worst) ? next : worst))
}

function symptomOf(evidence: Evidence): Symptom | null {
  const failing = !evidence.trusted || evidence.ejected || evidence.doubted || evidence.failedProbes > 0
  if (failing && evidence.fault !== null) return evidence.fault
  if (!evidence.certificateAgrees) return 'old-certificate'
  if (!evidence.authorized) return 'unauthorized'
  if (!evidence.databaseAnswers) return 'database'
  return evidence.slow ? 'slow' : null
}
