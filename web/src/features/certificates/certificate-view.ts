import type { Certificate, ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import type { Finding } from '@malleus/shared/api/finding.ts'
import { listNames } from '../../components/cluster-words.ts'
import { daysUntil, formatDuration } from '../../lib/time.ts'
import type { Shape, Tone } from '../../ui/StateMark.tsx'

type Presented = ClusterCertificate['presented'][number]

export const presentedWords: Record<Presented['verdict'], { tone: Tone; shape: Shape; word: string }> = {
  same: { tone: 'good', shape: 'check', word: 'Same' },
  next: { tone: 'info', shape: 'rising', word: 'Next' },
  older: { tone: 'bad', shape: 'cross', word: 'Older certificate' },
  expired: { tone: 'bad', shape: 'cross', word: 'Expired' },
  unknown: { tone: 'bad', shape: 'key', word: 'Not known' },
  'no-handshake': { tone: 'unknown', shape: 'question', word: 'No handshake' },
}

const severities: readonly Finding['severity'][] = ['bad', 'warning', 'info']

export function worstFirst(a: Pick<Finding, 'severity'>, b: Pick<Finding, 'severity'>): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity)
}

/** Whether all clients see the same, in one sentence. */
export function describePresented({ presented }: Pick<ClusterCertificate, 'presented'>): string {
  const wrong = presented.filter(({ verdict }) => presentedWords[verdict].tone === 'bad')
  const silent = presented.filter(({ verdict }) => verdict === 'no-handshake')
  const next = presented.filter(({ verdict }) => verdict === 'next')
  if (wrong.length > 0) {
    const names = listNames(
      wrong.map(({ member }) => member),
      3,
    )
    return `${names} ${wrong.length === 1 ? 'presents' : 'present'} a certificate that is not the cluster's.`
  }
  if (next.length > 0) return `A new certificate is arriving: ${next.length} of ${presented.length} servers present it.`
  if (presented.length === 0) return 'No server has been asked yet.'
  if (silent.length === presented.length) return 'No server makes a handshake now; this is what was last seen.'
  const all =
    presented.length === 1
      ? 'One certificate faces every client.'
      : `One certificate faces every client, on ${silent.length === 0 ? 'all servers' : 'all servers that answer'}.`
  return all
}

/** "Valid for 210 days", "Expires in 19 days", "Expired 3 days ago", "Valid in 2 h". */
export function describeValidity(
  { validFromAt, expiresAt }: Pick<Certificate, 'validFromAt' | 'expiresAt'>,
  now: number,
): string {
  const left = Date.parse(expiresAt) - now
  if (left < 0) return `Expired ${formatDuration(-left)} ago`
  const wait = Date.parse(validFromAt) - now
  if (wait > 0) return `Valid only in ${formatDuration(wait)}`
  return daysUntil(expiresAt, now) < 30 ? `Expires in ${formatDuration(left)}` : `Valid for ${formatDuration(left)}`
}

/** How much of its life has passed, of 100. */
export function lifePassed(from: string, until: string, now: number): number {
  const [start, end] = [Date.parse(from), Date.parse(until)]
  if (end <= start) return 100
  return Math.min(100, Math.max(0, (100 * (now - start)) / (end - start)))
}
