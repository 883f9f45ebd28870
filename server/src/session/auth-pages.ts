/**
 * Signing in and out, as values: what the browser is told, without a word of HTTP's machinery. Every sign-in and every
 * refusal is in the access history, and a sign-in is there before its session is.
 */
import { createHash } from 'node:crypto'
import type { SignedOut, StepUpProblem } from '@malleus/shared/api/session.ts'
import type { Role } from '@malleus/shared/domain/role.ts'
import type { Clock } from '../lib/clock.ts'
import type { Keys } from '../lib/keys.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { expireLoginCookie, expireSessionCookie, setSessionCookie } from './cookies.ts'
import { loginTransactionMs, readTransactions, writeTransactions } from './login-transaction.ts'
import type { LoginTransaction } from './login-transaction.ts'
import { LogoutTokenRefused } from './logout-token.ts'
import type { IdentityProvider } from './oidc.ts'
import { safeReturnTo } from './return-to.ts'
import { ProviderUnavailable, ProviderUnusable } from './session-error.ts'
import { actorOf, sessionEntry } from './session-history.ts'
import type { PageSource, SessionEntry, SessionHistory } from './session-history.ts'
import type { SessionStore } from './session-store.ts'
import type { Session, Sessions, SignedIn } from './sessions.ts'
import { NobodyToProve, NoRole, NotProven, SignInExpired, SignInRefused, TokenUnusable } from './sign-in-error.ts'
import { isProvenSince } from './step-up.ts'

export interface PageRequest extends PageSource {
  /** What follows the question mark. */
  readonly query: string
  readonly cookieHeader: string | undefined
  /** What the browser says of itself. */
  readonly userAgent?: string | null
}

export interface PageReply {
  readonly status: number
  readonly location?: string
  /** Whole `Set-Cookie` values. */
  readonly cookies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

export interface AuthPagesOptions {
  readonly provider: Pick<IdentityProvider, 'signInUrl' | 'signIn' | 'revoke' | 'endSessionUrl' | 'readLogoutToken'>
  readonly sessions: Sessions
  readonly store: Pick<SessionStore, 'useOnce' | 'wasUsed'>
  readonly history: SessionHistory
  readonly keys: Pick<Keys, 'server' | 'hmac'>
  readonly rolesOf: (person: { readonly groups: readonly string[] }) => readonly Role[]
  /** Scheme, host and port of the console, without a slash at the end. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const loginRoute = { method: 'GET', route: '/auth/login' } as const
const callbackRoute = { method: 'GET', route: '/auth/callback' } as const
const logoutRoute = { method: 'POST', route: '/auth/logout' } as const
const backchannelRoute = { method: 'POST', route: '/auth/backchannel-logout' } as const

/** Somebody has signed in; their page comes in a moment. */
export interface SignInEnd {
  readonly session: Session
  readonly clientAddress: string
  readonly userAgent: string | null
}

/** Those who subscribe hear of everybody who has signed in. */
export class AuthPages extends Subscribable<SignInEnd> {
  readonly #options: AuthPagesOptions

  constructor(options: AuthPagesOptions) {
    super((error) => options.logger.error({ err: error }, 'A listener of sign-ins failed'))
    this.#options = options
  }

  /**
   * `GET /auth/login?returnTo=`: sends the browser to the provider; changes nothing but its own cookie. With `?stepUp=`
   * the person who is signed in shall prove again who they are; that ends at a page which tells the one that asked.
   */
  async login(request: PageRequest): Promise<PageReply> {
    const { provider, sessions, keys, clock, random } = this.#options
    const aim = this.#aimOf(request)
    try {
      const session = await this.#sessionOf(request)
      const proof = aim.stepUp === null ? null : proofOf(aim.stepUp, session)
      const { url, secrets } = await provider.signInUrl(proof !== null)
      const now = clock.now()
      const replaces = session === null ? null : sessions.keyOf(session).toString('hex')
      const begun: LoginTransaction = { ...secrets, returnTo: aim.returnTo, proof, replaces, begunAt: now }
      const transactions = [...readTransactions(request.cookieHeader, keys, now), begun]
      return { status: 302, location: url, cookies: [writeTransactions(transactions, keys, random)] }
    } catch (error) {
      this.#refuse(request, loginRoute, error, { who: null, stepUp: aim.stepUp !== null })
      return { status: 302, location: problemPath(problemOf(error), aim) }
    }
  }

  /** `GET /auth/callback`: the provider has sent the browser back. Begins a session, or says why not. */
  async callback(request: PageRequest): Promise<PageReply> {
    const { keys, clock, random } = this.#options
    const transactions = readTransactions(request.cookieHeader, keys, clock.now())
    const state = new URLSearchParams(request.query).get('state')
    const transaction = transactions.find((one) => one.state === state)
    const rest = transactions.filter((one) => one !== transaction)
    const loginCookie = rest.length > 0 ? writeTransactions(rest, keys, random) : expireLoginCookie()
    try {
      if (transaction === undefined) throw this.#unasked(request)
      const cookie = await this.#signIn(request, transaction)
      return { status: 302, location: transaction.returnTo, cookies: [setSessionCookie(cookie), loginCookie] }
    } catch (error) {
      const aim = { returnTo: transaction?.returnTo ?? '/', stepUp: transaction?.proof?.id ?? null }
      return { status: 302, location: problemPath(problemOf(error), aim), cookies: [loginCookie] }
    }
  }

  /** `POST /auth/logout`: ends the session here at once, and says where it ends at the provider. */
  async logout(request: PageRequest): Promise<PageReply> {
    const { sessions } = this.#options
    const found = await sessions.find(request.cookieHeader)
    const continueTo = found.kind === 'found' ? await this.#signOut(request, found.session) : '/sign-in'
    return {
      status: 200,
      cookies: [expireSessionCookie(), expireLoginCookie()],
      // Never "cookies": that would clear those of the whole registrable domain.
      headers: { 'clear-site-data': '"cache"', 'cache-control': 'no-store' },
      body: { continueTo } satisfies SignedOut,
    }
  }

  /** `POST /auth/backchannel-logout`: the provider says that a session has ended. Believed by its signature only. */
  async backchannelLogout(request: PageRequest & { readonly logoutToken: string }): Promise<PageReply> {
    const { provider, sessions, store, history } = this.#options
    const headers = { 'cache-control': 'no-store' }
    try {
      const { iss, sid, sub, jti, expiresAt } = await provider.readLogoutToken(request.logoutToken)
      const once = onceKey('logout token', iss, jti)
      if (await store.wasUsed(once)) throw new LogoutTokenRefused('it was used before')
      const kind = 'ended-by-provider'
      if (sid !== null) await sessions.endOfProviderSession(iss, sid, sub, kind)
      else if (sub !== null) await sessions.endOfPerson(iss, sub, kind)
      // Only now: when the sessions could not be ended, the provider comes again with the same token. Ending them twice
      // does nothing, so it does not matter who of two is first.
      await store.useOnce(once, expiresAt)
      return { status: 200, headers }
    } catch (error) {
      if (!(error instanceof LogoutTokenRefused)) throw error
      const decision = { allow: false, rule: 'logout-token' }
      history.record(sessionEntry('session.end', { ...request, ...backchannelRoute }, { decision }))
      // OpenID Connect Back-Channel Logout 1.0, 2.8.
      return { status: 400, headers, body: { error: 'invalid_request', error_description: error.message } }
    }
  }

  /** Somebody may have sent this browser here with a reply of their own, to sign it in as themselves: it is recorded. */
  #unasked(request: PageRequest): SignInExpired {
    const error = new SignInExpired('No sign-in of this browser fits the reply')
    this.#refuse(request, callbackRoute, error, { who: null, stepUp: false })
    return error
  }

  async #signIn(request: PageRequest, transaction: LoginTransaction): Promise<string> {
    const { provider, store, rolesOf, clock } = this.#options
    let who: SignedIn | null = null
    try {
      const once = onceKey('state', transaction.state)
      if (!(await store.useOnce(once, clock.now() + loginTransactionMs))) throw new SignInExpired('It was used before')
      who = await provider.signIn(request.query, transaction)
      if (transaction.proof !== null) checkProof(who, transaction.proof, transaction.begunAt)
      if (rolesOf(who).length === 0) throw new NoRole('None of their groups has a role')
      return await this.#begin(request, transaction, who)
    } catch (error) {
      this.#refuse(request, callbackRoute, error, { who, stepUp: transaction.proof !== null })
      if (who !== null && !isOf(who, transaction.proof)) this.#revoke(who.refreshToken)
      throw error
    }
  }

  async #begin(request: PageRequest, { replaces, proof }: LoginTransaction, who: SignedIn): Promise<string> {
    const { sessions, history } = this.#options
    const source = { ...request, ...callbackRoute }
    const action = proof === null ? 'session.sign-in' : 'session.step-up'
    const decision = { allow: true, rule: proof === null ? 'signed-in' : 'proved' }
    await history.intent(sessionEntry(action, source, { decision, actor: this.#actor(who) }))
    const { cookie, session } = await sessions.begin(who, replaces === null ? null : Buffer.from(replaces, 'hex'))
    history.outcome(
      sessionEntry(action, source, { decision, actor: actorOf(session.principal), out: outOf(302, null) }),
    )
    this.publish({ session, clientAddress: request.clientAddress, userAgent: request.userAgent ?? null })
    return cookie
  }

  async #signOut(request: PageRequest, session: Session): Promise<string> {
    const { provider, sessions, history, logger } = this.#options
    const refreshToken = sessions.refreshToken(session)
    await sessions.end(session, 'signed-out')
    try {
      const actor = actorOf(session.principal)
      const decision = { allow: true, rule: 'own-session' }
      const source = { ...request, ...logoutRoute }
      history.record(sessionEntry('session.sign-out', source, { actor, decision, out: outOf(200, null) }))
    } catch (error) {
      // Somebody who wants to be signed out is, whatever else fails.
      logger.error({ err: error }, 'A sign-out was not recorded')
    }
    this.#revoke(refreshToken)
    return (await provider.endSessionUrl(session.idToken).catch(() => null)) ?? '/sign-in'
  }

  /** Behind: the session is gone already, and a provider that does not answer must not hold up the person. */
  #revoke(refreshToken: string | null): void {
    if (refreshToken === null) return
    this.#options.provider.revoke(refreshToken).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'A refresh token was not revoked at the provider')
    })
  }

  #refuse(
    request: PageRequest,
    route: typeof loginRoute | typeof callbackRoute,
    error: unknown,
    { who, stepUp }: { readonly who: SignedIn | null; readonly stepUp: boolean },
  ): void {
    const { history, logger } = this.#options
    const code = problemOf(error)
    logger.warn(
      { err: error, requestId: request.requestId },
      stepUp ? 'A step-up did not succeed' : 'Signing in did not succeed',
    )
    const actor = who === null ? null : this.#actor(who)
    const entry = { actor, decision: { allow: false, rule: code }, out: outOf(302, code) }
    try {
      history.record(sessionEntry(stepUp ? 'session.step-up' : 'session.sign-in', { ...request, ...route }, entry))
    } catch (failure) {
      logger.error({ err: failure }, 'A refused sign-in was not recorded')
    }
  }

  /** What the browser was sent here for, and where it goes after. */
  #aimOf({ query }: PageRequest): Aim {
    const asked = new URLSearchParams(query)
    const stepUp = asked.get('stepUp')
    if (stepUp !== null && /^[\da-f-]{36}$/.test(stepUp)) return { stepUp, returnTo: provedPath(stepUp) }
    return { stepUp: null, returnTo: safeReturnTo(asked.get('returnTo'), this.#options.publicUrl) }
  }

  /** The session that the browser has now, which the new one takes the place of: the way back brings no cookie for it. */
  async #sessionOf({ cookieHeader }: PageRequest): Promise<Session | null> {
    const found = await this.#options.sessions.find(cookieHeader)
    return found.kind === 'found' ? found.session : null
  }

  #actor(who: SignedIn): SessionEntry['actor'] {
    return actorOf({ ...who, roles: this.#options.rolesOf(who), sessionTag: '' })
  }
}

interface Aim {
  /** What the page calls the step-up that it asks for; null for signing in. */
  readonly stepUp: string | null
  readonly returnTo: string
}

type Proof = NonNullable<LoginTransaction['proof']>

function proofOf(id: string, session: Session | null): Proof {
  if (session === null) throw new NobodyToProve('Nobody is signed in in this browser')
  const { iss, sub } = session.principal
  return { id, iss, sub }
}

/** That the same person comes back, and that they were asked. */
function checkProof(who: SignedIn, proof: Proof, begunAt: number): void {
  if (!isOf(who, proof)) throw new NotProven('somebody_else', 'Another person than the one whose session it is')
  if (who.authTime === null) {
    throw new NotProven('no_auth_time', 'The ID token has no auth_time, which the provider has to send for max_age')
  }
  if (!isProvenSince(who.authTime, begunAt)) {
    throw new NotProven('not_asked_again', 'The provider did not ask: its auth_time is older than the wish that it did')
  }
}

/**
 * Whether a step-up brought the one back who began it. What the provider gave for it may share a grant with what the
 * session holds, and revoking it would take that too (RFC 7009, 2.1).
 */
function isOf(who: SignedIn, proof: Proof | null): boolean {
  return proof !== null && who.iss === proof.iss && who.sub === proof.sub
}

/** The code for the page, which has the words; what exactly was wrong is in the log. */
function problemOf(error: unknown): StepUpProblem {
  if (error instanceof NotProven) return error.problem
  if (error instanceof NobodyToProve) return 'session_expired'
  if (error instanceof ProviderUnavailable) return 'provider_unavailable'
  if (error instanceof ProviderUnusable) return 'provider_unusable'
  if (error instanceof SignInRefused) return 'sign_in_refused'
  if (error instanceof SignInExpired) return 'sign_in_expired'
  if (error instanceof TokenUnusable) return 'token_unusable'
  if (error instanceof NoRole) return 'no_role'
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'audit_unavailable' || code === 'storage_unavailable' ? code : 'sign_in_failed'
}

function problemPath(problem: StepUpProblem, { returnTo, stepUp }: Aim): string {
  if (stepUp !== null) return provedPath(stepUp, problem)
  return `/sign-in?${new URLSearchParams({ problem, returnTo }).toString()}`
}

function provedPath(id: string, problem?: StepUpProblem): string {
  return `/proved?${new URLSearchParams({ of: id, ...(problem !== undefined && { problem }) }).toString()}`
}

function onceKey(...parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

function outOf(status: number, code: string | null): SessionEntry['out'] {
  return { status, code, op: null, opStatus: null, bytes: null, ms: null }
}
