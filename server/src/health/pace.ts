import type { HealthSettings } from './health-settings.ts'
import { quantile } from './rolling-samples.ts'

/** So many answers before a 95th percentile is more than its slowest two or three. */
const ENOUGH = 60

/**
 * Above how many milliseconds an answer is slow, beside the other members' medians. Never above the time after which
 * a probe counts as unanswered: what takes longer than that is slow wherever it stands.
 */
export function slowThresholdMs(othersMediansMs: readonly number[], settings: HealthSettings): number {
  const median = quantile(othersMediansMs, 0.5)
  if (median === null) return settings.lightTimeoutMs
  return Math.min(settings.lightTimeoutMs, Math.max(settings.slowFloorMs, settings.slowFactor * median))
}

/**
 * Whether a member is slow. It becomes so by a few slow answers in a row (a change for the worse shows in two seconds),
 * by one answer that came after its time, or by a 95th percentile above the threshold (it is slow every now and then);
 * it ends after ten answers in a row that are not.
 *
 * @param wasSlow `returning`: by the answer with which it came back, which may only have waited for it to go on, as that
 *   of a stopped process does; two good answers then end it
 * @param answersMs of the last minute, oldest first
 */
export function isSlow(
  wasSlow: boolean | 'returning',
  answersMs: readonly number[],
  thresholdMs: number,
  settings: HealthSettings,
): boolean {
  const slow = (answerMs: number | undefined) => answerMs !== undefined && answerMs > thresholdMs
  const inARow = wasSlow === 'returning' ? settings.goodProbesToRecover : settings.paceInARow
  if (wasSlow !== false) return answersMs.length < inARow || answersMs.slice(-inARow).some(slow)
  const latest = answersMs.slice(-settings.slowInARow)
  if (latest.length === settings.slowInARow && latest.every(slow)) return true
  if ((answersMs.at(-1) ?? 0) > settings.lightTimeoutMs) return true
  return answersMs.length >= ENOUGH && (quantile(answersMs, 0.95) ?? 0) > thresholdMs
}
