/**
 * Whether a member answers later than it should. Pure: all times are given.
 *
 * One late answer says little: it may be the member, the way to it, or this console, which shares a busy machine. So a
 * late answer is only a reason to ask again, soon, and to ask another member beside it (`asksSoon`). The answers that
 * follow decide within a second (`isSlow`): several have to be slow, for more than a moment, and the others must not
 * have been as late in that same time. What slows everybody down is the console's trouble or the network's, and changes
 * no member's standing.
 */
import type { HealthSettings } from './health-settings.ts'
import { quantile } from './rolling-samples.ts'

/**
 * An answer to a light question: when it came, monotonic, how long the member took for it, and for how long of that time
 * this console could not have noticed it.
 */
export interface Answer {
  readonly at: number
  readonly ms: number
  readonly lostMs: number
}

/** The other members that answer and are not slow themselves. */
export interface Peers {
  /** Their medians of the last minute, in milliseconds. */
  readonly mediansMs: readonly number[]
  /** For each of them, which share of its answers of the last minute took longer than that. */
  readonly sharesAbove: (thresholdMs: number) => readonly number[]
  /** How late each of them was lately: see `latenessSince`; without those that have not answered since. */
  readonly since: (askedAt: number) => readonly number[]
}

export interface Pace {
  /**
   * `returning`: by the answer with which it came back, which may only have waited for it to go on, as that of a stopped
   * process does; two good answers then end it.
   */
  readonly wasSlow: boolean | 'returning'
  /** Its answers of the last minute that were asked for in their turn, oldest first. */
  readonly answersMs: readonly number[]
  /** What it takes when it is well: the lower quartile of these, from before it became slow; null before there was one. */
  readonly usualMs: number | null
  /** All its answers of the last moments, oldest first. */
  readonly lately: readonly Answer[]
  /** Looked up when it is asked for: most answers need nobody beside them. */
  readonly peers: Peers
  /** Whether they all were late a few seconds ago: see `isLateTogether`. */
  readonly lateTogether: boolean
  readonly now: number
}

/**
 * Above how many milliseconds an answer is slow, beside the other members' medians and what is usual for the member
 * itself: one that is a little further away than the others is not slow for that. Never above the time after which a
 * probe counts as unanswered: what takes longer than that is slow wherever it stands.
 */
export function slowThresholdMs(
  othersMediansMs: readonly number[],
  usualMs: number | null,
  settings: HealthSettings,
): number {
  const { lightTimeoutMs, slowFactor, slowFloorMs, slowEvenUsuallyMs } = settings
  const median = quantile(othersMediansMs, 0.5)
  if (median === null) return lightTimeoutMs
  const forItMs = Math.min(slowEvenUsuallyMs, slowFactor * (usualMs ?? 0))
  return Math.min(lightTimeoutMs, Math.max(slowFloorMs, slowFactor * median, forItMs))
}

/**
 * Whether a member is slow. It becomes so by several slow answers within a moment (a change for the worse shows in two
 * seconds), by one answer that came after its time, or by a 95th percentile above the threshold (it is slow every now
 * and then); it ends after ten answers in a row that are not.
 */
export function isSlow(pace: Pace, settings: HealthSettings): boolean {
  const { wasSlow, answersMs, lately, usualMs, peers, now } = pace
  const thresholdMs = slowThresholdMs(peers.mediansMs, usualMs, settings)
  if (wasSlow !== false) {
    const inARow = wasSlow === 'returning' ? settings.goodProbesToRecover : settings.paceInARow
    const slow = (answerMs: number) => answerMs > thresholdMs
    return answersMs.length < inARow || answersMs.slice(-inARow).some(slow)
  }
  const latest = lately.at(-1)
  if (latest !== undefined && latest.ms > settings.lightTimeoutMs) {
    const besideMs = quantile(peers.since(askedAtOf(latest)), 0.5) ?? 0
    if (latest.ms > settings.slowFactor * besideMs) return true
  }
  return isSlowLately(lately, thresholdMs, peers, now, settings) || isOftenSlow(answersMs, thresholdMs, peers, settings)
}

/** Whether a member would be slow, were the others not as late in the same time. */
export function isLateTogether(pace: Pace, settings: HealthSettings): boolean {
  const { wasSlow, lately, usualMs, peers, now } = pace
  if (wasSlow !== false || lately.length < settings.slowAnswers) return false
  const thresholdMs = slowThresholdMs(peers.mediansMs, usualMs, settings)
  const since = slowSince(lately, thresholdMs, now, settings)
  return since !== null && (quantile(peers.since(since), 0.5) ?? 0) > thresholdMs
}

/**
 * Whether to ask again at once rather than in turn: an answer was late, by what this member takes when it is well, and
 * it is not known yet whether it will stay so. A few questions tell; a member in trouble is not to be burdened with more.
 */
export function asksSoon(pace: Pace, settings: HealthSettings): boolean {
  const { wasSlow, lately, usualMs, lateTogether, now } = pace
  const latestMs = Math.max(0, ...lately.slice(-2).map(({ ms }) => ms))
  if (wasSlow !== false || latestMs <= settings.lateFloorMs || lately.length >= settings.soonAtMost) return false
  const thresholdMs = slowThresholdMs(pace.peers.mediansMs, usualMs, settings)
  const lateMs = Math.min(thresholdMs, Math.max(settings.lateFloorMs, settings.slowFactor * (usualMs ?? 0)))
  const isLate = ({ ms }: Answer) => ms > lateMs
  const known = lately.slice(-ENOUGH_LATE)
  const isKnown = known.length === ENOUGH_LATE && known.every((answer) => isLate(answer) && answer.ms <= thresholdMs)
  const first = lately[lately.findLastIndex((answer) => !isLate(answer)) + 1]
  const isDecided = lateTogether && first !== undefined && now - askedAtOf(first) > 2 * settings.slowForMs
  return !isKnown && !isDecided && lately.slice(-2).some(isLate)
}

/** So many in a row that are late and not slow: more of them would tell nothing new. */
const ENOUGH_LATE = 4

/** How late a member was by its answers that were asked for at that instant or later; null without any. */
export function latenessSince(askedAt: number, lately: readonly Answer[]): number | null {
  const times = lately.flatMap(({ at, ms, lostMs }) => (at - ms - lostMs >= askedAt ? [ms] : []))
  return quantile(times, 0.8)
}

/** The share of answers above some time, from 0 to 1. */
export function shareAbove(thresholdMs: number, answersMs: readonly number[]): number {
  return answersMs.length === 0 ? 0 : answersMs.filter((ms) => ms > thresholdMs).length / answersMs.length
}

function isSlowLately(
  lately: readonly Answer[],
  thresholdMs: number,
  peers: Peers,
  now: number,
  settings: HealthSettings,
): boolean {
  const since = slowSince(lately, thresholdMs, now, settings)
  if (since === null) return false
  // Nobody else has answered since: whether it is only this one shows in a moment.
  const beside = quantile(peers.since(since), 0.5)
  if (beside === null) return peers.mediansMs.length === 0
  return slowSince(lately, Math.max(thresholdMs, settings.slowFactor * beside), now, settings) !== null
}

/** Since when it has mostly been waited for slow answers, enough of them and for long enough; null if not. */
function slowSince(
  lately: readonly Answer[],
  thresholdMs: number,
  now: number,
  settings: HealthSettings,
): number | null {
  const isSlowOne = ({ ms }: Answer) => ms > thresholdMs
  if (!lately.slice(-1).some(isSlowOne)) return null
  for (const [at, first] of lately.entries()) {
    const askedAt = askedAtOf(first)
    if (!isSlowOne(first) || now - askedAt < settings.slowForMs) continue
    const from = lately.slice(at)
    const slow = from.filter(isSlowOne)
    const waitedMs = slow.reduce((sum, { ms }) => sum + ms, 0)
    const awakeMs = from.reduce((left, { lostMs }) => left - lostMs, now - askedAt)
    // Once it may have stood still for a moment: the others have to be slow without that.
    const longestMs = Math.max(...slow.map(({ ms }) => ms))
    const isMostly = waitedMs - longestMs >= settings.slowShare * (awakeMs - longestMs)
    if (slow.length >= settings.slowAnswers && isMostly) return askedAt
  }
  return null
}

function askedAtOf({ at, ms, lostMs }: Answer): number {
  return at - ms - lostMs
}

/** A 95th percentile above the threshold, said as a share; what is so of the others too is not held against one. */
function isOftenSlow(
  answersMs: readonly number[],
  thresholdMs: number,
  peers: Peers,
  settings: HealthSettings,
): boolean {
  const share = shareAbove(thresholdMs, answersMs)
  if (answersMs.length < ENOUGH || share <= 0.05) return false
  return share > settings.slowFactor * (quantile(peers.sharesAbove(thresholdMs), 0.5) ?? 0)
}

/** So many answers before a 95th percentile is more than its slowest two or three. */
const ENOUGH = 60
