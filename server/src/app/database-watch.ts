import { isDatabaseInDoubt, mayHoldDatabase } from '../clusters/cluster-database.ts'
import type { ReportedMembers } from '../clusters/reported-members.ts'
import type { Discovery } from '../discovery/discovery.ts'
import type { HealthBoard, HealthChange } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Prober } from '../probes/prober.ts'

export interface DatabaseWatchParts {
  readonly board: Pick<HealthBoard, 'subscribe' | 'current' | 'databaseAvailable'>
  readonly reported: Pick<ReportedMembers, 'latest'>
  readonly prober: Pick<Prober, 'askDatabase'>
  readonly discovery: Pick<Discovery, 'refresh'>
  readonly clock: Pick<Clock, 'after'>
}

/** A leader that is left without a quorum answers for some seconds more (measured with 6.0.4: four). */
const againMs = 1_000

/**
 * Has everybody asked for the cluster database as soon as a member that may hold it gives reason to doubt, and again for
 * as long as too many of those who hold it are missing; reads anew who leads it once it is back. Returns what ends it.
 */
export function watchDatabase({ board, reported, prober, discovery, clock }: DatabaseWatchParts): () => void {
  let cancel: (() => void) | null = null
  const askAgainWhileInDoubt = (): void => {
    cancel ??= clock.after(againMs, () => {
      cancel = null
      const facts = { reported: reported.latest, health: (member: string) => board.current(member) }
      // Once it is lost it is asked for often enough by itself.
      if (board.databaseAvailable === false || !isDatabaseInDoubt(facts)) return
      prober.askDatabase()
      askAgainWhileInDoubt()
    })
  }
  const unsubscribe = board.subscribe((change) => {
    if (change.kind === 'cluster') {
      if (change.databaseAvailable === true) void discovery.refresh()
    } else if (beginsToFail(change) && mayHoldDatabase(change.member, reported.latest)) {
      prober.askDatabase()
      askAgainWhileInDoubt()
    }
  })
  return () => {
    unsubscribe()
    cancel?.()
  }
}

/** With the first probe that failed, and again when it is out: between them the leader may have been chosen anew. */
function beginsToFail({ before, after }: Extract<HealthChange, { kind: 'member' }>): boolean {
  if (after === null || before === null) return false
  const [was, is] = [before.evidence, after.evidence]
  return (is.failedProbes > 0 && was.failedProbes === 0) || (is.ejected && !was.ejected)
}
