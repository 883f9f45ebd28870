import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { healthRanges, type HealthRange } from '@malleus/shared/api/member-health.ts'

/** What else was going on about the time of an incident. */

const marginMs = 10 * 60_000
/** As many records as one reading has. */
export const mostRecords = 200

/** Those from shortly before it to shortly after; `isWhole` when none of that time can be missing. */
export function recordsAround(
  records: readonly AuditRecord[],
  { beganAt, end }: IncidentSummary,
): { readonly records: readonly AuditRecord[]; readonly isWhole: boolean } {
  const from = Date.parse(beganAt) - marginMs
  const to = end === null ? Infinity : Date.parse(end.at) + marginMs
  const oldest = records.at(-1)
  const isWhole = records.length < mostRecords || oldest === undefined || Date.parse(oldest.ts) < from
  return { records: records.filter(({ ts }) => Date.parse(ts) >= from && Date.parse(ts) <= to), isWhole }
}

const lengths: Readonly<Record<HealthRange, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': Infinity,
}

/** The shortest range that still has its beginning in it. */
export function rangeAround({ beganAt }: Pick<IncidentSummary, 'beganAt'>, now: number): HealthRange {
  const ageMs = now - Date.parse(beganAt)
  return healthRanges.find((range) => ageMs < lengths[range] * 0.95) ?? '30d'
}
