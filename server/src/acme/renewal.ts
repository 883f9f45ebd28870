import { instant } from '../lib/clock.ts'

export interface Renewal {
  /** As a sentence. */
  readonly rule: string
  /** When the certificate that is presented now is due; null where none is known. */
  readonly at: string | null
}

const dayMs = 86_400_000

/**
 * When the servers renew. Up to 7.0.1 when less than 30 days are left, later when four fifths of the life of the
 * certificate are over; both are looked at by whoever leads the cluster. No extension tells them apart but the one of
 * external accounts, which came with the same release (incus `internal/server/acme/acme.go`).
 */
export function renewalOf(
  extensions: readonly string[],
  life: { readonly validFrom: number; readonly expiresAt: number } | null,
): Renewal {
  if (extensions.includes('acme_eab')) {
    const at = life === null ? null : instant(life.validFrom + 0.8 * (life.expiresAt - life.validFrom))
    return { rule: 'When 80 % of its life is over; the database leader looks every hour.', at }
  }
  const at = life === null ? null : instant(life.expiresAt - 30 * dayMs)
  return { rule: 'When less than 30 days are left; the database leader looks regularly.', at }
}
