import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import type { JWTVerifyGetKey } from 'jose'
import type { OutboundFetch } from '../lib/outbound.ts'

/** Which session the provider has ended: its own name for it, or all of a person. */
export interface LogoutToken {
  readonly iss: string
  readonly sid: string | null
  readonly sub: string | null
  readonly jti: string
  /** Milliseconds since 1970: when it is too old to be believed, and its `jti` may be forgotten. */
  readonly expiresAt: number
}

/** What came is not a logout token of the provider for this console. */
export class LogoutTokenRefused extends Error {
  override readonly name = 'LogoutTokenRefused'
}

/** Signatures that are believed, on logout tokens as on ID tokens. */
export const signatureAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']

const MOST_AGE_SECONDS = 120
const SKEW_SECONDS = 30
const BACKCHANNEL = 'http://schemas.openid.net/event/backchannel-logout'

/** The provider's keys, fetched when they are needed and kept for ten minutes. */
export function remoteKeys(url: string, fetch: OutboundFetch): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), { [customFetch]: (target, options) => fetch(target, options) })
}

/**
 * Believes a logout token or refuses it (OpenID Connect Back-Channel Logout 1.0, 2.6): its type, signature, issuer,
 * audience, age, event, and that it is no ID token in disguise. That it is used once is for the caller to see to.
 *
 * @throws LogoutTokenRefused.
 */
export async function readLogoutToken(
  token: string,
  expected: {
    readonly issuer: string
    readonly clientId: string
    readonly keys: JWTVerifyGetKey
    readonly now: number
  },
): Promise<LogoutToken> {
  const { issuer, clientId, keys, now } = expected
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience: clientId,
    typ: 'logout+jwt',
    algorithms: signatureAlgorithms,
    maxTokenAge: MOST_AGE_SECONDS,
    clockTolerance: SKEW_SECONDS,
    currentDate: new Date(now),
    requiredClaims: ['jti', 'iat', 'events'],
  }).catch((error: unknown) => {
    throw new LogoutTokenRefused(error instanceof Error ? error.message : 'it could not be checked', { cause: error })
  })
  if ('nonce' in payload) throw new LogoutTokenRefused('it has a nonce, as ID tokens have')
  const { events, jti, iat } = payload
  const event = typeof events === 'object' && events !== null && BACKCHANNEL in events ? events[BACKCHANNEL] : undefined
  if (typeof event !== 'object' || event === null) throw new LogoutTokenRefused('it does not speak of a logout')
  const sid = textOf(payload['sid'])
  const sub = textOf(payload.sub)
  if (sid === null && sub === null) throw new LogoutTokenRefused('it names neither a session nor a person')
  const expiresAt = ((iat ?? 0) + MOST_AGE_SECONDS + 2 * SKEW_SECONDS) * 1000
  return { iss: issuer, sid, sub, jti: jti ?? '', expiresAt }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
