import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { byName } from '../lib/by-name.ts'
import { daysUntil, formatDate } from '../lib/time.ts'
import type { Tone } from '../ui/StateMark.tsx'
import { isUsable, needsAttention, stateOf } from './member-words.ts'

export interface Sentence {
  readonly tone: Tone
  readonly headline: string
  readonly text: string
}

/** Reachable or not, in one line, with what it does to requests. */
export function describeCluster(cluster: ClusterSummary, members: readonly Member[]): Sentence {
  const { name } = cluster
  const total = members.length || cluster.members.total
  const silent = members.filter((member) => !isUsable(member))
  const answering = members.length === 0 ? cluster.members.answering : total - silent.length
  if (answering === 0) {
    const none = total === 1 ? 'Its server does not answer.' : `None of its ${total} servers answers.`
    return { tone: 'bad', headline: `${name} is not reachable`, text: `${none} What you see is what was last known.` }
  }
  if (cluster.database.kind === 'lost') {
    const some = `${answering} of ${total} servers answer${answering === 1 ? 's' : ''}`
    const who = total === 1 ? 'Its server answers' : answering === total ? `All ${total} servers answer` : some
    const none = answering === 1 ? 'and does not reach' : 'and none of them reaches'
    const text = `${who}, ${none} the cluster database. What the cluster says is what was last known.`
    return { tone: 'bad', headline: `${name} is read-only`, text }
  }
  const headline = `${name} is reachable`
  if (answering === total) {
    const text = total === 1 ? 'Its server answers.' : `All ${total} servers answer.`
    return { tone: 'good', headline, text }
  }
  const names = silent.map((member) => member.name)
  const skipped =
    names.length === 0
      ? ''
      : ` Requests skip ${listNames(names, 2)}; nothing waits for ${names.length === 1 ? 'it' : 'them'}.`
  return { tone: 'warning', headline, text: `${answering} of ${total} servers answer.${skipped}` }
}

/** What is wrong with the cluster as a whole, the worst first. Servers have their own sentences. */
export function clusterTroubles(cluster: ClusterSummary, now: number): readonly Sentence[] {
  const troubles: Sentence[] = []
  // A lost database has a place of its own on every page, and says who is missing.
  if (cluster.panic && cluster.reachable && cluster.database.kind !== 'lost') {
    troubles.push({
      tone: 'bad',
      headline: 'Fewer than half of the servers answer in time',
      text: 'Lists are shown as they were last known, and every server is tried, the silent ones last.',
    })
  }
  if (cluster.lateTogether && cluster.reachable && !cluster.panic) {
    troubles.push({
      tone: 'warning',
      headline: 'Most servers answer late',
      text: 'This console is busy, or the network to them is. No server is called slow for it.',
    })
  }
  const certificate = certificateTrouble(cluster, now)
  if (certificate !== undefined) troubles.push(certificate)
  return troubles
}

function certificateTrouble(cluster: ClusterSummary, now: number): Sentence | undefined {
  if (cluster.certificate === null) return undefined
  const { expiresAt } = cluster.certificate
  const days = daysUntil(expiresAt, now)
  if (days >= 14) return undefined
  if (days < 0) {
    return {
      tone: 'bad',
      headline: 'The cluster certificate has expired',
      text: `It was valid until ${formatDate(expiresAt)}. Clients that check it refuse to connect.`,
    }
  }
  const left = days === 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${days} days`
  return {
    tone: 'warning',
    headline: `The cluster certificate expires ${left}`,
    text: `From ${formatDate(expiresAt)} on, clients that check it refuse to connect.`,
  }
}

export function certificateTone(expiresAt: string, now: number): Tone {
  const days = daysUntil(expiresAt, now)
  return days < 0 ? 'bad' : days < 30 ? 'warning' : 'good'
}

/** The servers that a person should look at, the worst first. */
export function unwell(members: readonly Member[]): readonly Member[] {
  const order: readonly Tone[] = ['bad', 'warning', 'info', 'unknown', 'good']
  return members
    .filter(needsAttention)
    .toSorted((a, b) => order.indexOf(stateOf(a).tone) - order.indexOf(stateOf(b).tone) || byName(a.name, b.name))
}

/** "server1", "server1 and server2", "server1, server2 and 4 others" */
export function listNames(names: readonly string[], most: number): string {
  if (names.length <= 1) return names[0] ?? ''
  if (names.length <= most) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return `${names.slice(0, most).join(', ')} and ${names.length - most} ${names.length - most === 1 ? 'other' : 'others'}`
}
