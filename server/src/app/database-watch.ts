import { mayHoldDatabase } from '../clusters/cluster-database.ts'
import type { ReportedMembers } from '../clusters/reported-members.ts'
import type { Discovery } from '../discovery/discovery.ts'
import type { HealthBoard, HealthChange } from '../health/health-board.ts'
import type { Prober } from '../probes/prober.ts'

export interface DatabaseWatchParts {
  readonly board: Pick<HealthBoard, 'subscribe'>
  readonly reported: Pick<ReportedMembers, 'latest'>
  readonly prober: Pick<Prober, 'askDatabase'>
  readonly discovery: Pick<Discovery, 'refresh'>
}

/**
 * Has everybody asked for the cluster database as soon as a member that may hold it gives reason to doubt, and reads
 * anew who leads it once it is back. Returns what ends it.
 */
export function watchDatabase({ board, reported, prober, discovery }: DatabaseWatchParts): () => void {
  return board.subscribe((change) => {
    if (change.kind === 'cluster') {
      if (change.databaseAvailable === true) void discovery.refresh()
    } else if (beginsToFail(change) && mayHoldDatabase(change.member, reported.latest)) prober.askDatabase()
  })
}

/** With the first probe that failed, and again when it is out: between them the leader may have been chosen anew. */
function beginsToFail({ before, after }: Extract<HealthChange, { kind: 'member' }>): boolean {
  if (after === null || before === null) return false
  const [was, is] = [before.evidence, after.evidence]
  return (is.failedProbes > 0 && was.failedProbes === 0) || (is.ejected && !was.ejected)
}
