import { z } from 'zod'
import { type Endpoint, parseEndpoint } from '../clusters/endpoint.ts'
import { CliError, exitCodes } from './cli-error.ts'

/** What `incus config trust add` prints, taken apart (incus `shared/api/certificate.go`, `CertificateAddToken`). */
export interface TrustToken {
  /** As the client was named when the token was made. */
  readonly clientName: string
  /** SHA-256 of the cluster's certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  readonly addresses: readonly Endpoint[]
  /** The token as it was printed, which is what redeems it. */
  readonly text: string
}

const Token = z.object({
  client_name: z.string().min(1),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/i),
  addresses: z.array(z.string()).min(1),
  secret: z.string().min(1),
  expires_at: z.string().optional(),
})

/** What `incus cluster add` prints is for a new server. */
const JoinToken = z.object({ server_name: z.string(), secret: z.string() })

/**
 * Reads a token. White space around and in it, as terminals add when they wrap, does not matter.
 *
 * @throws CliError when it is none, or its time is over.
 */
export function parseTrustToken(pasted: string, now: number): TrustToken {
  const text = pasted.replaceAll(/\s+/g, '')
  const content = decode(text)
  if (JoinToken.safeParse(content).success) {
    throw new CliError(
      exitCodes.notAToken,
      'This token is for a server that joins the cluster. Make one for a client: incus config trust add malleus',
    )
  }
  const token = Token.safeParse(content)
  if (!token.success) {
    throw new CliError(
      exitCodes.notAToken,
      'This is not a trust token. Make one on any server of the cluster: incus config trust add malleus',
    )
  }
  const { client_name: clientName, fingerprint, addresses, expires_at: expiresAt } = token.data
  if (isOver(expiresAt, now)) {
    throw new CliError(
      exitCodes.expiredToken,
      `This token expired at ${expiresAt}. Make a new one: incus config trust add malleus`,
    )
  }
  return { clientName, fingerprint: fingerprint.toLowerCase(), addresses: endpointsOf(addresses), text }
}

function decode(text: string): unknown {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
}

/** Go writes "never" as the year one. */
function isOver(expiresAt: string | undefined, now: number): boolean {
  const at = Date.parse(expiresAt ?? '')
  return !Number.isNaN(at) && at > Date.UTC(1970, 0, 2) && at <= now
}

function endpointsOf(addresses: readonly string[]): Endpoint[] {
  const endpoints = addresses.flatMap((address) => {
    try {
      return [parseEndpoint(address)]
    } catch {
      // A listener on a link-local address, say; one of the others will do.
      return []
    }
  })
  if (endpoints.length === 0) {
    throw new CliError(exitCodes.notAToken, `The token names no address that can be used: ${addresses.join(', ')}`)
  }
  return endpoints
}
