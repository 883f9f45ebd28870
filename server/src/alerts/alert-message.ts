import { certificateOf, pageOfCertificate } from '@malleus/shared/domain/certificate-place.ts'
import { instant } from '../lib/clock.ts'
import type { RaisedAlert } from './expiry.ts'
import type { KnownCertificate } from './known-certificate.ts'

/** What is sent: words for people, and the same for programs. */
export interface AlertMessage {
  readonly subject: string
  readonly text: string
  readonly alerts: readonly SentAlert[]
  readonly test: boolean
}

interface SentAlert {
  /** The same when it is sent again. */
  readonly id: string
  readonly kind: string
  readonly cluster: string | null
  readonly name: string
  readonly fingerprint: string
  readonly expiresAt: string
  /** Whole days; negative once it has ended. */
  readonly daysLeft: number
  readonly url: string
}

const dayMs = 86_400_000

/** One message of several alerts, the most urgent first. */
export function alertMessage(alerts: readonly RaisedAlert[], publicUrl: string, now: number): AlertMessage {
  const [first] = alerts
  if (first === undefined) throw new TypeError('a message without an alert')
  const more = alerts.length - 1
  const subject = `${endOf(first.certificate, now)}${more === 0 ? '' : `, and ${more} more`}`
  return {
    subject,
    text: alerts.map((alert) => paragraph(alert.certificate, publicUrl, now)).join('\n\n'),
    alerts: alerts.map((alert) => sent(alert, publicUrl, now)),
    test: false,
  }
}

export function testMessage(publicUrl: string): AlertMessage {
  const text = `This is a test from the Malleus console at ${publicUrl}. Nothing ends; had a certificate been about to, it would have been told here.`
  return { subject: 'Malleus: a test of expiry alerts', text, alerts: [], test: true }
}

function paragraph(certificate: KnownCertificate, publicUrl: string, now: number): string {
  return `${endOf(certificate, now)}, on ${instant(certificate.expiresAt)}.\nSHA-256 ${certificate.fingerprint}\n${urlOf(certificate, publicUrl)}`
}

function endOf(certificate: KnownCertificate, now: number): string {
  return `${certificateOf(certificate)} ${whenWords(certificate.expiresAt - now)}`
}

function whenWords(leftMs: number): string {
  if (leftMs <= 0) return 'has ended'
  const days = Math.floor(leftMs / dayMs)
  if (days >= 2) return `ends in ${days} days`
  const hours = Math.floor(leftMs / 3_600_000)
  return hours >= 2 ? `ends in ${hours} hours` : 'ends within two hours'
}

function sent({ key, threshold, certificate }: RaisedAlert, publicUrl: string, now: number): SentAlert {
  const { kind, cluster, name, fingerprint, expiresAt } = certificate
  return {
    id: `${key}/${threshold}`,
    kind,
    cluster,
    name,
    fingerprint,
    expiresAt: instant(expiresAt),
    daysLeft: Math.floor((expiresAt - now) / dayMs),
    url: urlOf(certificate, publicUrl),
  }
}

function urlOf(certificate: KnownCertificate, publicUrl: string): string {
  return `${publicUrl}${pageOfCertificate(certificate) ?? '/'}`
}
