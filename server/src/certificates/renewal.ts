import type { X509Certificate } from 'node:crypto'
import { instant } from '../lib/clock.ts'

const DAY_MS = 86_400_000

/**
 * When Incus renews the certificate by itself; null where ACME is not set up, or that may not be seen.
 *
 * Up to 7.0.1 when less than 30 days remain, later when 80 % of its life has passed (incus `cmd/incusd/acme.go`,
 * `internal/server/acme`).
 */
export function renewalOf(
  facts: { readonly config: Readonly<Record<string, unknown>> | null; readonly renewsByShare: boolean },
  { validFromDate, validToDate }: X509Certificate,
): { at: string; how: string } | null {
  const domain = facts.config?.['acme.domain']
  const agreed = facts.config?.['acme.agree_tos']
  if (typeof domain !== 'string' || domain === '' || agreed !== 'true') return null
  const [from, until] = [validFromDate.getTime(), validToDate.getTime()]
  if (facts.renewsByShare) {
    return { at: instant(from + 0.8 * (until - from)), how: 'Incus renews it when 80 % of its life has passed.' }
  }
  return { at: instant(Math.max(from, until - 30 * DAY_MS)), how: 'Incus renews it 30 days before it expires.' }
}
