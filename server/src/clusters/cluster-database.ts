/**
 * What has become of the cluster database while it does not answer, from what the cluster said of its servers and from
 * what this console measures of them. Pure.
 *
 * Every read and every write of Incus goes through one server, the leader, and a leader needs more than half of the
 * voters (cowsql, a Raft). So there are three ways to lose it, and they end in different ways:
 *
 * - `quorum`: too few voters are left to have a leader. It comes back when enough of them do, or by hand.
 * - `leader-gone`: the leader has ended. The others choose another within seconds (measured with 6.0.4: 4.6 to 7.9 s).
 * - `leader-silent`: the leader is stopped or cut off. The others choose another as quickly, and their requests stay on
 *   their connections to the old one nevertheless (measured: 30 s, and more).
 *
 * A leader that is restarting ended too. What fits none of them is `unexplained`, and so is everything while it is not
 * known which servers hold the database.
 */
import type { ClusterDatabase, DatabaseHolder } from '@malleus/shared/api/clusters.ts'
import type { Reported } from '@malleus/shared/api/members.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import { instant } from '../lib/clock.ts'
import type { ReportedList } from './reported-members.ts'

/** How a member is, as the board believes. Times are wall clock. */
export interface HolderHealth {
  readonly standing: Standing
  readonly symptom: Symptom | null
  readonly since: number
  readonly answeredAt: number | null
}

export interface DatabaseFacts {
  /** Whether it answers on any member; null before anybody asked. */
  readonly available: boolean | null
  /** Since when it does not; wall clock. */
  readonly goneSince: number | null
  /** What the cluster last said of its members; null where it never did. */
  readonly reported: ReportedList | null
  readonly health: (member: string) => HolderHealth
}

type Lost = Extract<ClusterDatabase, { kind: 'lost' }>

export function clusterDatabase({ available, goneSince, reported, health }: DatabaseFacts): ClusterDatabase {
  if (available === null) return { kind: 'unknown' }
  if (available) return { kind: 'answers' }
  const holders = holdersIn(reported, health)
  return {
    kind: 'lost',
    since: instant(goneSince ?? 0),
    cause: causeOf(holders),
    holders,
    rolesAsOf: reported === null || holders.length === 0 ? null : instant(reported.at),
  }
}

/** Whether losing that member may be the loss of the database; so it may while its roles are not known. */
export function mayHoldDatabase(member: string, reported: ReportedList | null): boolean {
  const row = reported?.rows.get(member)
  return row === undefined || isHolder(row)
}

/**
 * Whether so many are missing that the database cannot go on answering, although it still may: a leader that is left
 * alone does for some seconds, from what it has.
 */
export function isDatabaseInDoubt({ reported, health }: Pick<DatabaseFacts, 'reported' | 'health'>): boolean {
  return causeOf(holdersIn(reported, health)) !== 'unexplained'
}

function holdersIn(reported: ReportedList | null, health: DatabaseFacts['health']): DatabaseHolder[] {
  return [...(reported?.rows ?? [])].flatMap(([name, row]) => {
    return isHolder(row) ? [holderOf(name, row, health(name))] : []
  })
}

function isHolder({ roles }: Reported): boolean {
  return roles.includes('database') || roles.includes('database-leader')
}

function holderOf(name: string, { roles }: Reported, health: HolderHealth): DatabaseHolder {
  const { symptom, since, answeredAt } = health
  const leads = roles.includes('database-leader')
  if (!isMissing(health)) return { name, leads, missing: null }
  return { name, leads, missing: { since: instant(answeredAt ?? since), symptom } }
}

/** It need not be out already: that the database is gone confirms what the first unanswered question says. */
function isMissing({ standing, symptom }: HolderHealth): boolean {
  if (standing === 'ejected' || standing === 'untrusted') return true
  return standing === 'suspect' && symptom !== null && symptom !== 'slow'
}

function causeOf(holders: readonly DatabaseHolder[]): Lost['cause'] {
  const left = holders.filter(({ missing }) => missing === null).length
  if (holders.length > 0 && left * 2 <= holders.length) return 'quorum'
  const leader = holders.find(({ leads }) => leads)
  if (leader === undefined || leader.missing === null) return 'unexplained'
  const { symptom } = leader.missing
  return symptom === 'refusing' || symptom === 'starting' ? 'leader-gone' : 'leader-silent'
}
