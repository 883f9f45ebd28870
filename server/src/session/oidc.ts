/**
 * The identity provider: OpenID Connect with the code flow, PKCE and a confidential client. The only file that knows the
 * library which speaks it. It holds no session and no state but what the provider says of itself, which is asked for at
 * the start, again until it answers, and every hour.
 */
import { createPrivateKey } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import type { JWTVerifyGetKey } from 'jose'
import * as openid from 'openid-client'
import type { Configuration } from 'openid-client'
import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { isLoopback, wasNeverSent } from '../lib/outbound.ts'
import type { OutboundFetch } from '../lib/outbound.ts'
import type { Random } from '../lib/random.ts'
import { accessTokenOf, claimsOf, groupsFrom, isJwt, nameFrom, textClaim } from './claims.ts'
import { readLogoutToken, remoteKeys, signatureAlgorithms } from './logout-token.ts'
import type { LogoutToken } from './logout-token.ts'
import { ProviderUnavailable, ProviderUnusable, RefreshLost, RefreshRefused } from './session-error.ts'
import { SignInRefused, TokenUnusable, UnbelievableReply } from './sign-in-error.ts'
import type { Granted, Refresher, SignedIn } from './sessions.ts'

export interface ProviderSettings {
  /** Exactly as the provider names itself. */
  readonly issuer: string
  readonly clientId: string
  readonly authentication:
    | { readonly kind: 'secret'; readonly secret: string }
    /** PEM, PKCS #8; `keyId` where the provider knows it by one. */
    | { readonly kind: 'private-key'; readonly key: string; readonly keyId?: string }
  readonly scopes: readonly string[]
  /** Asked for as `audience`. */
  readonly audience: string | null
  /** Asked for as `resource` (RFC 8707). */
  readonly resource: string | null
  readonly groupsClaim: string
  /** Scheme, host and port of the console, without a slash at the end. */
  readonly publicUrl: string
  /** Whether members check access tokens themselves, so that these have to be JWTs. */
  readonly bearer: boolean
}

export interface IdentityProviderOptions {
  readonly settings: ProviderSettings
  /** With the authorities of the provider, and deadlines. */
  readonly fetch: OutboundFetch
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What a sign-in is bound to; kept by the browser, sealed, until the provider sends it back. */
export interface SignInSecrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

const FIRST_RETRY_MS = 1000
const MOST_RETRY_MS = 30_000
const HOUR_MS = 3_600_000
const SKEW_SECONDS = 30

interface Known {
  readonly configuration: Configuration
  readonly keys: JWTVerifyGetKey
}

export class IdentityProvider implements Refresher {
  readonly #options: IdentityProviderOptions
  readonly #stopped = new AbortController()
  #known: Known | undefined
  #asking: Promise<Known> | undefined
  #problem: Error | undefined

  constructor(options: IdentityProviderOptions) {
    this.#options = options
  }

  /** Begins to ask the provider what it is, behind; returns at once. */
  start(): void {
    void this.#keepAsking()
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Why nobody can sign in now, in a sentence; null when they can. */
  get problem(): string | null {
    return this.#known === undefined ? (this.#problem?.message ?? 'The identity provider has not answered yet.') : null
  }

  /**
   * Where the browser goes to sign in, and what has to be kept until it comes back. The provider is asked first whether
   * it is there: a browser that is sent to one that is not shows an error of its own, which says nothing to anybody.
   *
   * @param again whether it shall ask the person also when it knows them (OpenID Connect Core 1.0, 3.1.2.1). Both ways
   *   of wishing for that are used: some providers hear only one. With `max_age` it has to say when it asked.
   * @throws ProviderUnavailable, ProviderUnusable.
   */
  async signInUrl(again = false): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const { configuration } = await this.#askNow()
    const { scopes, audience } = this.#options.settings
    const verifier = openid.randomPKCECodeVerifier()
    const secrets = { state: openid.randomState(), nonce: openid.randomNonce(), verifier }
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: this.redirectUri,
      scope: scopes.join(' '),
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(again && { prompt: 'login', max_age: '0' }),
      ...this.#audienceParameters(audience),
    })
    return { url: url.href, secrets }
  }

  /**
   * Reads what the provider sent the browser back with, and exchanges the code.
   *
   * @param query what followed the question mark at the redirect URI.
   * @throws SignInRefused when the provider or the person did not want to, UnbelievableReply when it does not fit what
   *   was asked, TokenUnusable when the members could not check its token, ProviderUnavailable, ProviderUnusable.
   */
  async signIn(query: string, { state, nonce, verifier }: SignInSecrets): Promise<SignedIn> {
    const { configuration } = await this.#ask()
    const { settings, clock } = this.#options
    const url = new URL(this.redirectUri)
    url.search = query
    let tokens
    try {
      tokens = await openid.authorizationCodeGrant(
        configuration,
        url,
        { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
        this.#audienceParameters(settings.audience),
      )
    } catch (error) {
      throw signInError(error)
    }
    const claims = tokens.claims()
    if (claims === undefined || tokens.id_token === undefined) throw new UnbelievableReply('there is no ID token')
    if (!isSignedWell(tokens.id_token)) throw new UnbelievableReply('the ID token is signed in another way')
    if (settings.bearer && !isJwt(tokens.access_token)) {
      throw new TokenUnusable(
        'The provider gives opaque access tokens, which the members of a cluster cannot check. Set it up to give JWT ' +
          `access tokens for the audience ${settings.audience ?? settings.resource ?? 'of the clusters'}.`,
      )
    }
    const groups = groupsFrom([claims, claimsOf(tokens.access_token)], settings.groupsClaim)
    return {
      iss: claims.iss,
      sub: claims.sub,
      name: nameFrom(claims),
      email: textClaim(claims, 'email'),
      groups: groups ?? (await this.#groupsFromUserInfo(configuration, tokens.access_token, claims.sub)),
      authTime: typeof claims.auth_time === 'number' ? Math.trunc(claims.auth_time) : null,
      amr: Array.isArray(claims['amr']) ? claims['amr'].filter((method) => typeof method === 'string') : [],
      sid: textClaim(claims, 'sid'),
      idToken: tokens.id_token,
      refreshToken: tokens.refresh_token ?? null,
      accessToken: accessTokenOf(tokens.access_token, tokens.expires_in, clock.now()),
    }
  }

  async refresh(refreshToken: string, audience: string | null, sub: string): Promise<Granted> {
    const { configuration } = await this.#ask()
    const { settings, clock } = this.#options
    let tokens
    try {
      tokens = await openid.refreshTokenGrant(
        configuration,
        refreshToken,
        this.#audienceParameters(audience ?? settings.audience),
      )
    } catch (error) {
      throw refreshError(error)
    }
    const claims = tokens.claims()
    // OpenID Connect Core 1.0, 12.2: it has to be the same person.
    if (claims !== undefined && claims.sub !== sub) throw new RefreshRefused('The provider renewed for somebody else')
    if (tokens.id_token !== undefined && !isSignedWell(tokens.id_token)) {
      throw new RefreshRefused('The provider renewed with an ID token that is signed in a way that is not believed')
    }
    return {
      accessToken: accessTokenOf(tokens.access_token, tokens.expires_in, clock.now()),
      refreshToken: tokens.refresh_token ?? null,
      idToken: tokens.id_token ?? null,
      groups: groupsFrom([claims ?? null, claimsOf(tokens.access_token)], settings.groupsClaim),
    }
  }

  /** Tells the provider to forget a refresh token. Does nothing where it has no way to be told (RFC 7009). */
  async revoke(refreshToken: string): Promise<void> {
    const { configuration } = await this.#ask()
    if (configuration.serverMetadata().revocation_endpoint === undefined) return
    await openid.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' })
  }

  /** Where the browser goes to sign out at the provider too, and comes back from; null when there is no such place. */
  async endSessionUrl(idToken: string): Promise<string | null> {
    const { configuration } = await this.#ask()
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null
    return openid.buildEndSessionUrl(configuration, {
      id_token_hint: idToken,
      post_logout_redirect_uri: `${this.#options.settings.publicUrl}/sign-in`,
    }).href
  }

  /** Believes a logout token or throws LogoutTokenRefused. That it is used once is for the caller to see to. */
  async readLogoutToken(token: string): Promise<LogoutToken> {
    const { keys } = await this.#ask()
    const { settings, clock } = this.#options
    return readLogoutToken(token, { issuer: settings.issuer, clientId: settings.clientId, keys, now: clock.now() })
  }

  get audience(): string | null {
    return this.#options.settings.audience
  }

  get redirectUri(): string {
    return `${this.#options.settings.publicUrl}/auth/callback`
  }

  /** What the provider says of itself; asked now when it has not said so before. */
  #ask(): Promise<Known> {
    return this.#known === undefined ? this.#askNow() : Promise.resolve(this.#known)
  }

  /** Asks it what it is, once for all who want to know at the same time. */
  #askNow(): Promise<Known> {
    this.#asking ??= this.#discover()
      .then((known) => {
        this.#known = known
        this.#problem = undefined
        return known
      })
      .catch((error: unknown) => {
        this.#problem = error instanceof Error ? error : new ProviderUnavailable(String(error))
        throw error
      })
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  async #keepAsking(): Promise<void> {
    const { clock, random, logger } = this.#options
    for (let failures = 0; !this.#stopped.signal.aborted;) {
      try {
        await this.#askNow()
        if (failures > 0) logger.info({}, 'The identity provider answers')
        failures = 0
        await sleep(clock, HOUR_MS, this.#stopped.signal)
      } catch (error) {
        failures += 1
        logger.warn({ err: error }, 'The identity provider cannot be used')
        await sleep(clock, backoffMs(failures, FIRST_RETRY_MS, MOST_RETRY_MS, random), this.#stopped.signal)
      }
    }
  }

  async #discover(): Promise<Known> {
    const { settings, fetch } = this.#options
    const url = issuerUrl(settings.issuer)
    const configuration = await openid
      .discovery(
        url,
        settings.clientId,
        { [openid.clockTolerance]: SKEW_SECONDS },
        await clientAuthentication(settings.authentication),
        {
          [openid.customFetch]: fetch,
          execute: [
            // The ID token is believed by its signature too, not only because of where it came from.
            openid.enableNonRepudiationChecks,
            ...(url.protocol === 'http:' ? dangerouslySpeakInTheClearToThisMachine() : []),
          ],
        },
      )
      .catch((error: unknown) => {
        throw discoveryError(error, settings.issuer)
      })
    const metadata = configuration.serverMetadata()
    const unusable = whyUnusable(metadata, settings.issuer)
    if (unusable !== undefined) throw new ProviderUnusable(unusable)
    return { configuration, keys: remoteKeys(metadata.jwks_uri ?? '', fetch) }
  }

  /** Providers want to be asked for an audience in one way or the other; some take both. */
  #audienceParameters(audience: string | null): Record<string, string> {
    const { settings } = this.#options
    const isDefault = audience === settings.audience
    const resource = isDefault || settings.resource === null ? settings.resource : resourceOf(audience)
    return { ...(audience === null ? {} : { audience }), ...(resource === null ? {} : { resource }) }
  }

  async #groupsFromUserInfo(
    configuration: Configuration,
    accessToken: string,
    sub: string,
  ): Promise<readonly string[]> {
    const { settings, logger } = this.#options
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return []
    try {
      const claims = await openid.fetchUserInfo(configuration, accessToken, sub)
      return groupsFrom([claims], settings.groupsClaim) ?? []
    } catch (error) {
      // An access token for another audience is often not taken there: then nothing is known of groups.
      logger.debug({ err: error }, 'The provider did not tell the groups of a person')
      return []
    }
  }
}

/**
 * Lets tokens and secrets travel without encryption. Only for a provider on this very machine; what is fetched for it is
 * refused in the clear to any other (lib/outbound.ts). The library looks for its own function in the list.
 */
function dangerouslySpeakInTheClearToThisMachine(): ((configuration: Configuration) => void)[] {
  // oxlint-disable-next-line typescript/no-deprecated -- deprecated upstream so that it stands out, as it should
  return [openid.allowInsecureRequests]
}

function issuerUrl(issuer: string): URL {
  const url = new URL(issuer)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw new ProviderUnusable(
    `The issuer ${issuer} is not an https address. Only a provider on this machine itself may do without.`,
  )
}

function whyUnusable(
  metadata: openid.ServerMetadata & openid.ServerMetadataHelpers,
  issuer: string,
): string | undefined {
  if (metadata.issuer !== issuer) {
    return `The provider calls itself ${metadata.issuer} and not ${issuer}. Write the issuer exactly as it does.`
  }
  if (!metadata.supportsPKCE('S256')) {
    return `The provider ${issuer} does not offer PKCE with S256 (code_challenge_methods_supported), without which nobody signs in here.`
  }
  const missing = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'].find(
    (name) => typeof metadata[name] !== 'string',
  )
  if (missing !== undefined) return `The provider ${issuer} does not name its ${missing}.`
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256']
  if (!offered.some((name) => signatureAlgorithms.includes(name))) {
    return `The provider ${issuer} signs with ${offered.join(', ')}; one of RS256, PS256, ES256, ES384, EdDSA is needed.`
  }
  return undefined
}

async function clientAuthentication(authentication: ProviderSettings['authentication']): Promise<openid.ClientAuth> {
  if (authentication.kind === 'secret') return openid.ClientSecretBasic(authentication.secret)
  const key = createPrivateKey(authentication.key)
  const cryptoKey = key.toCryptoKey(signingAlgorithmOf(key), false, ['sign'])
  return openid.PrivateKeyJwt(
    authentication.keyId === undefined ? cryptoKey : { key: cryptoKey, kid: authentication.keyId },
  )
}

function signingAlgorithmOf(key: ReturnType<typeof createPrivateKey>) {
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' }
  if (key.asymmetricKeyType === 'ec') {
    const namedCurve = key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'P-384' : 'P-256'
    return { name: 'ECDSA', namedCurve }
  }
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}

/** The library has checked the signature, with any algorithm that the provider offers; here only some are believed. */
function isSignedWell(idToken: string): boolean {
  const { alg } = decodeProtectedHeader(idToken)
  return alg !== undefined && signatureAlgorithms.includes(alg)
}

/** RFC 8707 takes absolute URIs only. */
function resourceOf(audience: string | null): string | null {
  return audience !== null && URL.canParse(audience) ? audience : null
}

function discoveryError(error: unknown, issuer: string): Error {
  if (hasCode(error, 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')) {
    return new ProviderUnusable(
      `What answers for ${issuer} calls itself something else. Write the issuer exactly as the provider does.`,
      { cause: error },
    )
  }
  if (isUnknownAuthority(error)) {
    return new ProviderUnusable(
      `The certificate of ${issuer} is signed by an authority that this machine does not know. Name it in oidc.ca.`,
      { cause: error },
    )
  }
  return new ProviderUnavailable(`The identity provider ${issuer} does not answer as one: ${reasonOf(error)}`, {
    cause: error,
  })
}

/** Wrong credentials of the client are told by status 401 and a challenge, or by a code (RFC 6749, 5.2). */
function refusesClient(error: unknown): boolean {
  if (error instanceof openid.WWWAuthenticateChallengeError) return error.status === 401
  return (
    error instanceof openid.ResponseBodyError &&
    (error.error === 'invalid_client' || error.error === 'unauthorized_client')
  )
}

/** As OpenSSL names it (`X509_V_ERR_…`). */
const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function isUnknownAuthority(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1) {
    if ('code' in cause && unknownAuthority.has(String(cause.code))) return true
  }
  return false
}

function signInError(error: unknown): Error {
  if (refusesClient(error)) {
    return new ProviderUnusable(
      'The identity provider refused this console itself: its client id or secret is not right (oidc.clientId, oidc.clientSecret).',
      { cause: error },
    )
  }
  if (error instanceof openid.AuthorizationResponseError) {
    const { error: code } = error
    if (code === 'temporarily_unavailable' || code === 'server_error') {
      return new ProviderUnavailable(`The identity provider says ${code}`, { cause: error })
    }
    return new SignInRefused(`The identity provider says ${code}`, { cause: error })
  }
  if (error instanceof openid.ResponseBodyError) {
    if (error.status >= 500)
      return new ProviderUnavailable(`The identity provider says ${error.error}`, { cause: error })
    return new UnbelievableReply(`the provider did not take the code: ${error.error}`, { cause: error })
  }
  if (isNoAnswer(error))
    return new ProviderUnavailable(`The identity provider does not answer: ${reasonOf(error)}`, { cause: error })
  return new UnbelievableReply(reasonOf(error), { cause: error })
}

/**
 * What a failed refresh means for the session. Only where it is certain that the provider did nothing may the same
 * refresh token be used again.
 */
function refreshError(error: unknown): Error {
  if (error instanceof openid.ResponseBodyError) {
    if (error.error === 'invalid_grant') return new RefreshRefused('The provider no longer renews it', { cause: error })
    return new ProviderUnavailable(`The identity provider says ${error.error}`, { cause: error })
  }
  if (wasNeverSent(error) || isOverloaded(error))
    return new ProviderUnavailable(`The identity provider does not answer: ${reasonOf(error)}`, { cause: error })
  return new RefreshLost(`The answer of the provider was lost: ${reasonOf(error)}`, { cause: error })
}

function isNoAnswer(error: unknown): boolean {
  return wasNeverSent(error) || isOverloaded(error) || hasCode(error, 'OAUTH_TIMEOUT') || hasCode(error, undefined)
}

/**
 * An answer was given, by the provider or by what stands before it: it cannot now. Should it have renewed all the same,
 * the next try is refused, and the session ends then.
 */
function isOverloaded(error: unknown): boolean {
  if (!(error instanceof openid.ClientError) || !(error.cause instanceof Response)) return false
  return error.cause.status >= 500 || error.cause.status === 429
}

/** openid-client gives its own failures a code, and passes on those of the connection without one. */
function hasCode(error: unknown, code: string | undefined): boolean {
  return error instanceof openid.ClientError && error.code === code
}

function reasonOf(error: unknown): string {
  const reasons: string[] = []
  for (let cause = error; cause instanceof Error && reasons.length < 4; cause = cause.cause) reasons.push(cause.message)
  return [...new Set(reasons.filter((reason) => reason !== 'something went wrong'))].join(': ')
}
