import { z } from 'zod'
import { alertThresholds, CertificateKind } from '../domain/certificate-place.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** A certificate that ends within thirty days, or has ended. */
export const CertificateAlert = z.object({
  kind: CertificateKind,
  /** Null for what belongs to no cluster. */
  cluster: z.string().nullable(),
  /** Of the cluster, the access path, the trust entry, or the host. */
  name: z.string(),
  fingerprint: z.string(),
  expiresAt: Instant,
  /** The last number of days before the end that was reached. */
  threshold: z.literal(alertThresholds),
})
export type CertificateAlert = z.infer<typeof CertificateAlert>

export const AlertSinkName = z.enum(['webhook', 'email'])
export type AlertSinkName = z.infer<typeof AlertSinkName>

/** Where alerts are sent, and how that goes. */
export const AlertSinkState = z.object({
  sink: AlertSinkName,
  /** A host, or addresses; never more of a URL, which may hold a secret. */
  to: z.string(),
  /** Alerts that it has not taken yet. */
  waiting: z.int(),
  deliveredAt: Instant.nullable(),
  /** Why the last attempt failed; null when it did not. */
  failure: z.object({ at: Instant, message: z.string(), nextTryAt: Instant }).nullable(),
})
export type AlertSinkState = z.infer<typeof AlertSinkState>

export const listAlerts = endpoint({
  method: 'GET',
  path: '/alerts',
  summary: 'Certificates that end within thirty days, of all clusters that the person sees; and where that is sent.',
  reply: z.object({
    alerts: z.array(CertificateAlert),
    /** How many certificates are watched. */
    watched: z.int(),
    /** Null for people who may not test them. */
    sinks: z.array(AlertSinkState).nullable(),
  }),
})

export const testAlertSink = endpoint({
  method: 'POST',
  path: '/alerts/test',
  summary: 'Sends a test message, and says exactly what came of it.',
  body: z.strictObject({ sink: AlertSinkName }),
  reply: z.object({
    delivered: z.boolean(),
    /** What the other side said, or why it could not be asked. */
    said: z.string(),
    ms: z.int(),
  }),
})
