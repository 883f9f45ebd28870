import type { HealthRange, MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import { healthRecord } from './health-record.ts'
import type { MemberChanges } from './member-changes.ts'
import { NotFound } from './not-possible.ts'
import type { ProbeHistory } from './probe-history.ts'

export interface HealthRecordParts {
  readonly directory: Pick<MemberDirectory, 'get'>
  readonly board: Pick<HealthBoard, 'current'>
  readonly probes: Pick<ProbeHistory, 'read'>
  readonly changes: Pick<MemberChanges, 'read'>
  /** When this console did not watch, between two moments in milliseconds since 1970. */
  readonly gaps: (from: number, to: number) => readonly { readonly from: number; readonly to: number }[]
  readonly clock: Clock
}

/** Rejects with `NotFound` for a name that is no member. */
export async function readHealthRecord(
  { directory, board, probes, changes, gaps, clock }: HealthRecordParts,
  member: string,
  range: HealthRange,
): Promise<MemberHealthRecord> {
  if (directory.get(member) === undefined) throw new NotFound('server', member)
  const measured = await probes.read(member, range)
  const changed = await changes.read(member, measured.from)
  const now = clock.now()
  const { standing } = board.current(member)
  return healthRecord({ range, probes: measured, changes: changed, standing, gaps: gaps(measured.from, now), now })
}
