/** When the end of a certificate is told, and to whom it has still to be: rules on values, that touch nothing. */
import { type AlertThreshold, alertThresholds } from '@malleus/shared/domain/certificate-place.ts'
import type { KnownCertificate } from './known-certificate.ts'

const dayMs = 86_400_000

/** An alert that was raised, as it is kept: once for each certificate of a cluster and threshold. */
export interface RaisedAlert {
  readonly key: string
  readonly threshold: AlertThreshold
  /** Name of the source that knew of it. */
  readonly source: string
  readonly certificate: KnownCertificate
  /** Milliseconds since 1970. */
  readonly raisedAt: number
  /** The sinks that have it. */
  readonly takenBy: readonly string[]
}

/** What one source knew. */
export interface Reading {
  readonly source: string
  readonly certificates: readonly KnownCertificate[] | null
}

export interface AlertPlan {
  readonly raise: readonly RaisedAlert[]
  /** Keys of certificates that are gone: replaced, or known to nobody any more. */
  readonly settle: readonly string[]
}

/** The smallest number of days that the time to the end has come down to; null while it is more than thirty. */
export function thresholdOf(expiresAt: number, now: number): AlertThreshold | null {
  const daysLeft = (expiresAt - now) / dayMs
  return alertThresholds.findLast((threshold) => daysLeft <= threshold) ?? null
}

/** The same certificate in several places of a cluster is one thing to replace, and told once, by the first of them. */
export function distinct(
  readings: readonly Reading[],
): readonly { readonly key: string; readonly source: string; readonly certificate: KnownCertificate }[] {
  const found = new Map<string, { key: string; source: string; certificate: KnownCertificate }>()
  for (const { source, certificates } of readings) {
    for (const certificate of certificates ?? []) {
      const key = keyOf(certificate)
      if (!found.has(key)) found.set(key, { key, source, certificate })
    }
  }
  return [...found.values()]
}

/**
 * What follows from what is known now. A threshold is raised when nothing as urgent was raised before of the same
 * certificate, so one that is first seen five days before its end is told once, and not also for thirty and fourteen.
 */
export function planAlerts(readings: readonly Reading[], raised: readonly RaisedAlert[], now: number): AlertPlan {
  const known = distinct(readings)
  const urgent = new Map<string, number>()
  for (const { key, threshold } of raised) urgent.set(key, Math.min(urgent.get(key) ?? Infinity, threshold))
  const raise = known.flatMap(({ key, source, certificate }): RaisedAlert[] => {
    const threshold = thresholdOf(certificate.expiresAt, now)
    if (threshold === null || threshold >= (urgent.get(key) ?? Infinity)) return []
    return [{ key, threshold, source, certificate, raisedAt: now, takenBy: [] }]
  })
  const there = new Set(known.map(({ key }) => key))
  // A source that knows nothing at the moment does not say that its certificates are gone.
  const silent = new Set(readings.filter(({ certificates }) => certificates === null).map(({ source }) => source))
  const gone = raised.filter(({ key, source }) => !there.has(key) && !silent.has(source))
  return { raise, settle: [...new Set(gone.map(({ key }) => key))] }
}

/** What a sink has still to be told: of each certificate the most urgent alert, unless it has that. */
export function pendingFor(sink: string, raised: readonly RaisedAlert[]): readonly RaisedAlert[] {
  const latest = new Map<string, RaisedAlert>()
  for (const alert of raised) {
    const other = latest.get(alert.key)
    if (other === undefined || alert.threshold < other.threshold) latest.set(alert.key, alert)
  }
  return [...latest.values()]
    .filter(({ takenBy }) => !takenBy.includes(sink))
    .toSorted((a, b) => a.certificate.expiresAt - b.certificate.expiresAt)
}

function keyOf({ cluster, fingerprint }: KnownCertificate): string {
  return `${cluster ?? ''}/${fingerprint}`
}
