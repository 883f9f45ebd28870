/** The tokens with which new clients make themselves known, as Incus keeps them: operations of class `token`. Pure. */
import type { PendingToken } from '@malleus/shared/api/trust.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { z } from 'zod'
import { instant } from '../lib/clock.ts'

/** What such an operation carries (incus `cmd/incusd/certificates.go`, `certificatesPost`). */
const TokenMetadata = z.object({
  secret: z.string().min(1),
  fingerprint: z.string(),
  addresses: z.array(z.string()),
  expiresAt: z.string().nullish(),
  request: z.object({
    name: z.string().default(''),
    restricted: z.boolean().default(false),
    projects: z
      .array(z.string())
      .nullish()
      .transform((projects) => projects ?? []),
  }),
})

/** What an operation says of a token of a client; null for every other operation, also the tokens of new servers. */
export function pendingToken(
  operation: IncusOperation,
  known: Pick<PendingToken, 'madeBy' | 'withdrawnAt'>,
): PendingToken | null {
  const { id, location, created_at: createdAt, metadata, status_code: status } = operation
  const said = TokenMetadata.omit({ secret: true }).safeParse(metadata)
  if (operation.class !== 'token' || status >= 200 || !said.success) return null
  const { name, restricted, projects } = said.data.request
  return {
    id,
    name,
    restricted,
    projects,
    member: location === '' || location === 'none' ? null : location,
    madeAt: readInstant(createdAt) ?? instant(0),
    expiresAt: readInstant(said.data.expiresAt ?? ''),
    ...known,
  }
}

/**
 * The line that `incus config trust add` prints: base64 of JSON (incus `shared/api/certificate.go`,
 * `CertificateAddToken`). It is the secret itself. Null where the operation is none of a token.
 */
export function tokenText(operation: IncusOperation): string | null {
  const said = TokenMetadata.safeParse(operation.metadata)
  if (!said.success) return null
  const { request, fingerprint, addresses, secret, expiresAt } = said.data
  const token = { client_name: request.name, fingerprint, addresses, secret, expires_at: expiresAt ?? goNever }
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

/** What to run on the client. The remote is called as the cluster is here. */
export function addCommand(cluster: string, token: string): string {
  return `incus remote add ${cluster} ${token}`
}

/** Go writes the year one for "never". */
const goNever = '0001-01-01T00:00:00Z'

function readInstant(text: string): string | null {
  const ms = Date.parse(text)
  return Number.isNaN(ms) || ms <= 0 ? null : instant(ms)
}
