import type { ClusterFigures, ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { certificateTone } from '../../components/cluster-words.ts'
import { isUsable } from '../../components/member-words.ts'
import { daysUntil, formatDate, formatDuration, formatMs } from '../../lib/time.ts'
import type { Tone } from '../../ui/StateMark.tsx'

export interface Figure {
  readonly title: string
  /** Null until something was measured. */
  readonly value: string | null
  readonly note: string
  readonly tone?: Tone | undefined
  readonly evidence?: 'members' | 'certificates'
}

/** The figures of the first page. Nothing is estimated: what was not measured yet says so. */
export function figuresOf(
  cluster: ClusterSummary | undefined,
  members: readonly Member[],
  figures: ClusterFigures | undefined,
  now: number,
): readonly Figure[] {
  return [answering(cluster, members), requests(figures, now), slowest(figures), certificate(cluster, now)]
}

function answering(cluster: ClusterSummary | undefined, members: readonly Member[]): Figure {
  const total = members.length || (cluster?.members.total ?? 0)
  const count = members.length === 0 ? (cluster?.members.answering ?? 0) : members.filter(isUsable).length
  return {
    title: 'Servers answering',
    value: total === 0 ? null : String(count),
    note: total === 0 ? '' : `of ${total}`,
    tone: count < total ? (2 * count < total ? 'bad' : 'warning') : undefined,
    evidence: 'members',
  }
}

const number = new Intl.NumberFormat('en')

function requests(figures: ClusterFigures | undefined, now: number): Figure {
  if (figures === undefined) return { title: 'Requests served', value: null, note: '' }
  const { served, failed, hedged } = figures.requests
  const age = now - Date.parse(figures.since)
  return {
    title: age < 3_600_000 ? `Requests served, last ${formatDuration(age)}` : 'Requests served, last hour',
    value: number.format(served),
    note: `${number.format(failed)} failed, ${number.format(hedged)} hedged`,
    tone: failed > 0 ? 'warning' : undefined,
  }
}

function slowest(figures: ClusterFigures | undefined): Figure {
  const title = 'Slowest 1% of requests'
  const slowestMs = figures?.slowest1Ms ?? null
  if (slowestMs === null) return { title, value: null, note: '' }
  const directMs = figures?.directSlowest1Ms ?? null
  const note = directMs === null || directMs <= 0 ? '' : directNote(slowestMs, directMs)
  return { title, value: formatMs(slowestMs), note }
}

/** A server that is slow to everybody makes direct calls slower than the console, which asks another one. */
function directNote(slowestMs: number, directMs: number): string {
  return slowestMs < directMs
    ? `direct calls ${formatMs(directMs)}`
    : `${(slowestMs / directMs).toFixed(1)}× a direct call`
}

function certificate(cluster: ClusterSummary | undefined, now: number): Figure {
  const title = 'Cluster certificate'
  const expiresAt = cluster?.certificate?.expiresAt
  if (expiresAt === undefined) return { title, value: null, note: '', evidence: 'certificates' }
  const days = daysUntil(expiresAt, now)
  const tone = certificateTone(expiresAt, now)
  return {
    title,
    value: days < 0 ? 'expired' : formatDuration(Date.parse(expiresAt) - now),
    note: days < 0 ? `on ${formatDate(expiresAt)}` : `until ${formatDate(expiresAt)}`,
    tone: tone === 'good' ? undefined : tone,
    evidence: 'certificates',
  }
}
