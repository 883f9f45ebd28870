import type { AlertSinkState, CertificateAlert } from '@malleus/shared/api/alerts.ts'
import { formatAgo } from '../lib/time.ts'

/** Three days are little to get a certificate in. */
const urgentDays = 3

/** How the bell looks; null while there is nothing to tell. */
export function alertTone(alerts: readonly CertificateAlert[]): 'bad' | 'warning' | null {
  if (alerts.length === 0) return null
  return alerts.some(isUrgent) ? 'bad' : 'warning'
}

export function isUrgent({ threshold }: Pick<CertificateAlert, 'threshold'>): boolean {
  return threshold <= urgentDays
}

/** What the bell says; undefined while it is not known. */
export function describeCount(alerts: readonly CertificateAlert[] | undefined): string {
  if (alerts === undefined || alerts.length === 0) return 'Certificates that end: none within 30 days'
  return `Certificates that end: ${alerts.length} within 30 days`
}

/** What mends it where no page of the console does. */
export function elsewhere({ kind }: Pick<CertificateAlert, 'kind'>): string | null {
  if (kind === 'console') return 'Replace the files of tls: in malleus.yaml and start the console anew.'
  if (kind === 'provider') return 'Whoever administers the provider replaces it.'
  return null
}

/** How telling one of them goes, in one sentence. */
export function describeSink({ waiting, deliveredAt, failure }: AlertSinkState, now: number): string {
  if (failure !== null) {
    return `Not taken ${formatAgo(failure.at, now)}: ${failure.message}. It is tried again.`
  }
  if (waiting > 0) return `${waiting} to be told.`
  return deliveredAt === null ? 'Nothing had to be told yet.' : `Last told ${formatAgo(deliveredAt, now)}.`
}
