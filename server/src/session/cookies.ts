import { createHash } from 'node:crypto'
import type { Random } from '../lib/random.ts'

/** Set by a server over TLS for this host alone, and out of reach of scripts: browsers hold the prefix to its word. */
export const sessionCookieName = '__Host-Http-sid'
export const loginCookieName = '__Host-Http-login'

/** What the browser holds of a session: an id to find its row by, and a secret that opens what is sealed in it. */
export interface SessionCookie {
  readonly id: Buffer
  readonly secret: Buffer
}

const ID_BYTES = 16
const SECRET_BYTES = 32

export function newSessionCookie(random: Random): SessionCookie {
  return { id: random.bytes(ID_BYTES), secret: random.bytes(SECRET_BYTES) }
}

export function formatSessionCookie({ id, secret }: SessionCookie): string {
  return `${id.toString('base64url')}.${secret.toString('base64url')}`
}

/** Reads the value of the cookie; undefined unless it is exactly as this console writes it. Never throws. */
export function parseSessionCookie(value: string): SessionCookie | undefined {
  if (!/^[\w-]{22}\.[\w-]{43}$/.test(value)) return undefined
  const [id = '', secret = ''] = value.split('.')
  const cookie = { id: Buffer.from(id, 'base64url'), secret: Buffer.from(secret, 'base64url') }
  // The last characters have bits that say nothing: only one of their forms is ours.
  return formatSessionCookie(cookie) === value ? cookie : undefined
}

/** The key of the row: the database holds no id that a cookie could be made of. */
export function rowKeyOf({ id }: SessionCookie): Buffer {
  return createHash('sha256').update(id).digest()
}

/**
 * The values of a cookie in a request's header (RFC 6265, 5.4). There is at most one, unless somebody meddles: then all
 * are given, for the caller to believe none.
 */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  if (header === undefined || header.length > 16_384) return []
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}

/** `Set-Cookie` for the session: goes nowhere but to pages of this origin that were opened from it. */
export function setSessionCookie(value: string): string {
  return `${sessionCookieName}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict`
}

/** `Set-Cookie` for signing in: has to come along when the provider sends the browser back, so it is `Lax`. */
export function setLoginCookie(value: string, maxAgeSeconds: number): string {
  return `${loginCookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`
}

export function expireSessionCookie(): string {
  return `${sessionCookieName}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`
}

export function expireLoginCookie(): string {
  return setLoginCookie('', 0)
}
