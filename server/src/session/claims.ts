import type { AccessToken } from './session-payload.ts'

type Claims = Readonly<Record<string, unknown>>

/**
 * The groups of a person, from the first of several sets of claims that says anything of them. Providers write them as
 * a list or as one string with commas, and some below another claim, as in `realm_access.roles`.
 */
export function groupsFrom(sources: readonly (Claims | null)[], claim: string): readonly string[] | null {
  for (const source of sources) {
    const groups = source === null ? null : groupsOf(claimAt(source, claim))
    if (groups !== null) return groups
  }
  return null
}

/** What people call the person; text for them, never a key. */
export function nameFrom(claims: Claims): string {
  const words = ['name', 'preferred_username', 'email', 'sub'].map((key) => claims[key])
  return words.find((word): word is string => typeof word === 'string' && word.trim() !== '') ?? '?'
}

/** The claims of a JWT without believing them: for reading what came from the provider itself over TLS. */
export function claimsOf(token: string): Claims | null {
  const [header, payload, signature, ...more] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return null
  const algorithm = jsonOf(header)?.['alg']
  return typeof algorithm === 'string' ? jsonOf(payload) : null
}

/** Whether a member could check it: Incus takes access tokens that are JWTs and nothing else (RFC 9068). */
export function isJwt(token: string): boolean {
  return claimsOf(token) !== null
}

/** When an access token ends: as the provider says beside it, else as it says itself, else after five minutes. */
export function accessTokenOf(token: string, expiresIn: number | undefined, now: number): AccessToken {
  const expires = claimsOf(token)?.['exp']
  if (expiresIn !== undefined) return { token, issuedAt: now, expiresAt: now + expiresIn * 1000 }
  return { token, issuedAt: now, expiresAt: typeof expires === 'number' ? expires * 1000 : now + 300_000 }
}

export function textClaim(claims: Claims, name: string): string | null {
  const value = claims[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

function groupsOf(value: unknown): readonly string[] | null {
  const listed = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(listed)) return null
  return listed
    .filter((group): group is string => typeof group === 'string')
    .map((group) => group.trim())
    .filter((group) => group !== '')
}

function jsonOf(part: string): Claims | null {
  if (!/^[\w-]+$/.test(part)) return null
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
