import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import type { Member } from './member.ts'
import { fetchJson } from './fetch-json.ts'
import type { Settings } from './options.ts'
import { IncusError } from './replies.ts'
import type { TrustEntry, TrustStore } from './trust-store.ts'

/** Who asks, as Incus found out. */
export type Caller =
  | { kind: 'nobody' }
  | { kind: 'tls'; name: string; entry: TrustEntry }
  | { kind: 'oidc'; name: string }

/** What is asked with. */
export interface Credentials {
  authorization: string | undefined
  cookie: string | undefined
  peerFingerprint: string | null
}

/**
 * Incus's order: a presented bearer token decides where OIDC is set up; otherwise the client certificate does. So a member
 * that has lost its OIDC configuration falls back to the certificate of the same connection.
 */
export class Authenticator {
  readonly #settings: Settings
  readonly #trust: TrustStore
  /** Keys stay in a member's memory until it is restarted. */
  readonly #keys = new Map<Member, { life: number; keys: JSONWebKeySet }>()

  constructor(settings: Settings, trust: TrustStore) {
    this.#settings = settings
    this.#trust = trust
  }

  /** Headers that come with every 401 and 403 while OIDC is set up. */
  challenge(member: Member): Record<string, string> {
    if (!this.#hasOidc(member)) return {}
    const { issuer, clientId, audience } = this.#settings.oidc
    return {
      'X-Incus-OIDC-issuer': issuer,
      'X-Incus-OIDC-clientid': clientId,
      'X-Incus-OIDC-audience': audience,
      ...(this.#settings.seven ? { 'X-Incus-OIDC-scopes': 'openid, offline_access' } : {}),
    }
  }

  methods(member: Member): string[] {
    return this.#hasOidc(member) ? ['tls', 'oidc'] : ['tls']
  }

  /** Throws Incus's 401 when a token was presented and is no good. */
  async caller(member: Member, credentials: Credentials): Promise<Caller> {
    const token = this.#hasOidc(member) ? tokenOf(credentials) : undefined
    if (token !== undefined) return { kind: 'oidc', name: await this.#userOf(member, token) }
    const entry = credentials.peerFingerprint === null ? undefined : this.#trust.find(credentials.peerFingerprint)
    return entry === undefined ? { kind: 'nobody' } : { kind: 'tls', name: entry.fingerprint, entry }
  }

  #hasOidc(member: Member): boolean {
    return this.#settings.withOidc && !member.withoutOidc
  }

  async #userOf(member: Member, token: Token): Promise<string> {
    try {
      if (token.kind === 'malformed') throw new Error('Bad authorization token, expected a Bearer token')
      const payload = await this.#verify(member, token.value)
      const { claim } = this.#settings.oidc
      const name = claim === undefined ? (payload['email'] ?? payload.sub) : payload[claim]
      if (typeof name !== 'string' || name === '') throw new IncusError(403, 'not authorized')
      return name
    } catch (error) {
      if (error instanceof IncusError) throw error
      throw new IncusError(401, `Failed to authenticate: ${textOf(error)}`)
    }
  }

  async #verify(member: Member, token: string): Promise<JWTPayload> {
    if (token.split('.').length !== 3) {
      throw new Error('parsing of request failed: token contains an invalid number of segments')
    }
    const { issuer, audience } = this.#settings.oidc
    const options = {
      issuer,
      audience,
      currentDate: new Date(member.now()),
      algorithms: ['RS256', 'ES256', 'PS256'],
    }
    try {
      return (await jwtVerify(token, createLocalJWKSet(await this.#keysOf(member, false)), options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return (await jwtVerify(token, createLocalJWKSet(await this.#keysOf(member, true)), options)).payload
    }
  }

  async #keysOf(member: Member, afresh: boolean): Promise<JSONWebKeySet> {
    const known = this.#keys.get(member)
    if (!afresh && known?.life === member.life) return known.keys
    const { issuer, ca } = this.#settings.oidc
    try {
      const metadata = await fetchJson(`${issuer}/.well-known/openid-configuration`, ca)
      if (typeof metadata['jwks_uri'] !== 'string') throw new Error('the metadata names no keys')
      const { keys } = await fetchJson(metadata['jwks_uri'], ca)
      if (!Array.isArray(keys)) throw new Error('the key set has no keys')
      const set = { keys: keys.filter((key) => typeof key === 'object' && key !== null) }
      this.#keys.set(member, { life: member.life, keys: set })
      return set
    } catch (error) {
      throw new Error(`Failed calling OIDC discovery endpoint: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      })
    }
  }
}

type Token = { kind: 'bearer'; value: string } | { kind: 'malformed' }

function tokenOf({ authorization, cookie }: Credentials): Token | undefined {
  if (authorization !== undefined) {
    const value = /^Bearer (.+)$/.exec(authorization)?.[1]
    return value === undefined ? { kind: 'malformed' } : { kind: 'bearer', value }
  }
  const value = /(?:^|;\s*)oidc_access=([^;]+)/.exec(cookie ?? '')?.[1]
  return value === undefined ? undefined : { kind: 'bearer', value }
}

/** The words of the Go library Incus uses. */
function textOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'token has expired'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
    return "Provided OIDC token doesn't allow the configured audience"
  }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss') return 'issuer does not match'
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return 'invalid signature (signature verification failed: failed to verify id token signature)'
  }
  if (error instanceof errors.JOSEError) return 'parsing of request failed: token is malformed'
  return error instanceof Error ? error.message : String(error)
}
