import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { daysUntil } from '../lib/time.ts'
import type { Shape, Tone } from '../ui/StateMark.tsx'

/** A cluster in one line for the switcher: its worst state, how many servers, which Incus, how long the certificate lasts. */
export function describeSummary(
  cluster: ClusterSummary,
  now: number,
): { tone: Tone; shape: Shape; word: string; facts: string } {
  const { members, version, certificate } = cluster
  const facts = [
    members.answering === members.total ? servers(members.total) : `${members.answering}/${servers(members.total)}`,
    version ?? undefined,
    certificate === null ? undefined : lasts(certificate.expiresAt, now),
  ]
  return { ...worstOf(cluster), facts: facts.filter((fact) => fact !== undefined).join(' · ') }
}

function lasts(expiresAt: string, now: number): string {
  const days = daysUntil(expiresAt, now)
  if (days < 0) return 'expired'
  return days > 730 ? `${Math.round(days / 365.25)} y` : `${days} d`
}

function servers(count: number): string {
  return count === 1 ? '1 server' : `${count} servers`
}

function worstOf({ reachable, worst, databaseAvailable }: ClusterSummary): { tone: Tone; shape: Shape; word: string } {
  if (worst === 'unknown' && !reachable) return { tone: 'unknown', shape: 'question', word: 'not measured yet' }
  if (!reachable) return { tone: 'bad', shape: 'cross', word: 'not reachable' }
  if (databaseAvailable === false) return { tone: 'bad', shape: 'alert', word: 'no cluster database' }
  switch (worst) {
    case 'healthy':
      return { tone: 'good', shape: 'check', word: 'all servers answer' }
    case 'ejected':
      return { tone: 'bad', shape: 'cross', word: 'a server does not answer' }
    case 'untrusted':
      return { tone: 'bad', shape: 'key', word: 'a server presents a wrong certificate' }
    case 'suspect':
    case 'degraded':
      return { tone: 'warning', shape: 'alert', word: 'a server is unwell' }
    case 'probation':
      return { tone: 'info', shape: 'rising', word: 'a server is recovering' }
    case 'unknown':
      return { tone: 'unknown', shape: 'question', word: 'a server has not been measured yet' }
  }
}
