import { CertificateKind, alertThresholds } from '@malleus/shared/domain/certificate-place.ts'
import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { AlertStore } from './alert-store.ts'
import type { RaisedAlert } from './expiry.ts'

interface Tables {
  certificate_alert: { key: string; threshold: number; source: string; certificate: string; raised_at: number }
  certificate_alert_taken: { key: string; threshold: number; sink: string }
}

const Kept = z.object({
  threshold: z.literal(alertThresholds),
  certificate: z.object({
    kind: CertificateKind,
    cluster: z.string().nullable(),
    name: z.string(),
    fingerprint: z.string(),
    expiresAt: z.number(),
  }),
})

/** Alerts in `malleus.db`, tables `certificate_alert` and `certificate_alert_taken`. */
export function sqliteAlertStore(database: Database): AlertStore {
  const tables = database.tables<Tables>()
  return {
    all: async () => {
      const [rows, taken] = await Promise.all([
        tables.selectFrom('certificate_alert').selectAll().execute(),
        tables.selectFrom('certificate_alert_taken').selectAll().execute(),
      ])
      return rows.flatMap((row): RaisedAlert[] => {
        const kept = Kept.safeParse({ threshold: row.threshold, certificate: jsonIn(row.certificate) })
        if (!kept.success) return []
        const takenBy = taken.filter(({ key, threshold }) => key === row.key && threshold === row.threshold)
        const { key, source, raised_at: raisedAt } = row
        return [{ key, source, raisedAt, ...kept.data, takenBy: takenBy.map(({ sink }) => sink) }]
      })
    },
    raise: async (alerts) => {
      const rows = alerts.map(({ key, threshold, source, certificate, raisedAt }) => ({
        key,
        threshold,
        source,
        certificate: JSON.stringify(certificate),
        raised_at: raisedAt,
      }))
      if (rows.length === 0) return
      await tables
        .insertInto('certificate_alert')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    take: async (sink, alerts) => {
      const rows = alerts.map(({ key, threshold }) => ({ key, threshold, sink }))
      if (rows.length === 0) return
      await tables
        .insertInto('certificate_alert_taken')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    settle: async (keys) => {
      if (keys.length === 0) return
      await database.atomically([
        tables.deleteFrom('certificate_alert_taken').where('key', 'in', keys),
        tables.deleteFrom('certificate_alert').where('key', 'in', keys),
      ])
    },
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
