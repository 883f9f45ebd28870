/**
 * Who is signed in. A session is a row sealed with a secret that only the browser has, so this process knows of a
 * session what the last request brought along, and forgets it within a second: whatever ends a session anywhere has
 * ended it here by then.
 *
 * Access tokens are renewed by whoever needs one, once: in this process by sharing the promise, among processes by a
 * lock in the row. A refresh token that is used twice is taken for stolen by good providers, so the new one is durable
 * before the new access token is used, and a renewal whose answer was lost ends the session instead of trying again.
 */
import type { Role } from '@malleus/shared/domain/role.ts'
import type { Clock } from '../lib/clock.ts'
import { instant, sleep } from '../lib/clock.ts'
import type { Keys } from '../lib/keys.ts'
import { tagOf } from '../lib/keys.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import {
  cookieValues,
  formatSessionCookie,
  newSessionCookie,
  parseSessionCookie,
  rowKeyOf,
  sessionCookieName,
} from './cookies.ts'
import type { SessionCookie } from './cookies.ts'
import type { Principal } from './principal.ts'
import { open, seal } from './seal.ts'
import { SessionCache } from './session-cache.ts'
import { ProviderUnavailable, RefreshLost, RefreshRefused, SessionEnded } from './session-error.ts'
import { isEnding, parsePayload } from './session-payload.ts'
import type { AccessToken, SessionPayload } from './session-payload.ts'
import type { EndKind, SessionRow, SessionStore, WhoseSessions } from './session-store.ts'

/** What a sign-in or a renewal gave. */
export interface Granted {
  readonly accessToken: AccessToken
  /** Null when the provider gave none, or keeps the old one. */
  readonly refreshToken: string | null
  /** Null when the provider gave none. */
  readonly idToken: string | null
  /** Null when nothing was said of groups. */
  readonly groups: readonly string[] | null
}

/** Who signed in, and what the provider gave to act for them. */
export interface SignedIn extends Granted {
  readonly iss: string
  readonly sub: string
  readonly name: string
  readonly email: string | null
  readonly authTime: number | null
  readonly amr: readonly string[]
  /** The provider's own session, by which it may end ours. */
  readonly sid: string | null
  readonly idToken: string
  readonly groups: readonly string[]
}

/** The part of the provider that sessions need. */
export interface Refresher {
  /** Of the access token that a sign-in gives. */
  readonly audience: string | null
  /**
   * Renews. Throws RefreshRefused when the provider does not, RefreshLost when nobody knows whether it did, and
   * ProviderUnavailable when it certainly did not.
   */
  refresh(refreshToken: string, audience: string | null, sub: string): Promise<Granted>
  revoke(refreshToken: string): Promise<void>
}

export interface SessionsOptions {
  readonly store: SessionStore
  readonly provider: Refresher
  readonly keys: Pick<Keys, 'server' | 'hmac'>
  /** Roles that the groups give in at least one cluster. */
  readonly rolesOf: (person: { readonly groups: readonly string[] }) => readonly Role[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Default 30 min. */
  readonly idleMs?: number
  /** Default 10 h. */
  readonly absoluteMs?: number
  /** Sessions one person may have. Default 5. */
  readonly mostPerPerson?: number
  /** For how long a row that was read is believed. Default 1 s. */
  readonly cacheMs?: number
}

/** One signed-in browser, as it was when it was looked for. */
export interface Session {
  readonly principal: Principal
  /** For the provider's sign-out. */
  readonly idToken: string
  readonly idleExpiresAt: string
  readonly expiresAt: string
}

/** `none`: the browser has no cookie. `ended`: it has one that opens nothing (any more), and why if that is known. */
export type FoundSession =
  | { readonly kind: 'found'; readonly session: Session }
  | { readonly kind: 'none' }
  | { readonly kind: 'ended'; readonly why: EndKind | null }

/** A session that has ended, for the history. The person is known only when the end was noticed with the cookie. */
export interface SessionEnd {
  readonly kind: EndKind
  readonly sessionTag: string
  readonly principal: Principal | null
}

interface Opened {
  readonly cookie: SessionCookie
  /** The cookie as the browser sends it. */
  readonly value: string
  readonly key: Buffer
  readonly row: SessionRow
  readonly payload: SessionPayload
  readonly session: Session
}

type Reading =
  | { readonly kind: 'opened'; readonly opened: Opened }
  | { readonly kind: 'ended'; readonly why: EndKind | null }

const TOUCH_MS = 10_000
/** An access token with less than this left is not given out while its successor is being fetched. */
const SPARE_MS = 10_000
/** After a provider that did not answer, it is not asked again for the same session before. */
const PAUSE_MS = 5000
const COMMIT_RETRY_MS = 250
const LOCK_MS = 30_000
const LOCK_POLL_MS = 50
const MOST_PAUSED = 10_000
const PRUNE_MS = 60_000

export class Sessions {
  readonly #options: SessionsOptions &
    Required<Pick<SessionsOptions, 'idleMs' | 'absoluteMs' | 'mostPerPerson' | 'cacheMs'>>
  readonly #cache: SessionCache<Reading>
  readonly #refreshes = new Map<string, Promise<Opened>>()
  readonly #paused = new Map<string, { readonly until: number; readonly error: Error }>()
  readonly #opened = new WeakMap<Session, Opened>()
  readonly #byPrincipal = new WeakMap<Principal, Session>()
  readonly #ends = new Subscribable<SessionEnd>()
  #stopPruning: (() => void) | undefined
  #openCount: number | null = null

  constructor(options: SessionsOptions) {
    this.#options = { idleMs: 30 * 60_000, absoluteMs: 10 * 3_600_000, mostPerPerson: 5, cacheMs: 1000, ...options }
    this.#cache = new SessionCache(this.#options.cacheMs)
  }

  /**
   * Begins a session with a new id; the one it replaces dies in the same transaction, and the oldest of the person's if
   * there are too many. Durable when it resolves.
   *
   * @returns the value of the cookie, which is kept nowhere else.
   */
  async begin(
    who: SignedIn,
    replaces: Uint8Array | null = null,
  ): Promise<{ readonly cookie: string; readonly session: Session }> {
    const { store, clock, random, absoluteMs, mostPerPerson } = this.#options
    const cookie = newSessionCookie(random)
    const key = rowKeyOf(cookie)
    const now = clock.now()
    const payload: SessionPayload = {
      v: 1,
      iss: who.iss,
      sub: who.sub,
      name: who.name,
      email: who.email,
      groups: [...who.groups],
      authTime: who.authTime,
      amr: [...who.amr],
      idToken: who.idToken,
      refreshToken: who.refreshToken,
      accessTokens: { '': who.accessToken },
    }
    const row: SessionRow = {
      key,
      identity: this.identityTag(who.iss, who.sub),
      providerSession: who.sid === null ? null : this.#providerSessionTag(who.iss, who.sid),
      sealed: this.#seal(payload, cookie, key),
      version: 1,
      refreshStartedAt: null,
      createdAt: now,
      activeAt: now,
      expiresAt: now + absoluteMs,
    }
    const ended = await store.begin(row, replaces, mostPerPerson)
    for (const old of ended.renewed) this.#tellEnd(old, 'renewed', null)
    for (const old of ended.replaced) this.#tellEnd(old, 'replaced', null)
    return { cookie: formatSessionCookie(cookie), session: this.#open(cookie, key, row, payload).session }
  }

  /**
   * Finds the session of a request by its `Cookie` header. What other replicas did to it is seen within a second. Ends
   * it when it was idle too long or is too old. Never throws for what a browser may send.
   *
   * @throws StorageUnavailable when sessions cannot be read.
   */
  async find(cookieHeader: string | undefined): Promise<FoundSession> {
    const values = cookieValues(cookieHeader, sessionCookieName)
    if (values.length === 0) return { kind: 'none' }
    const [value = ''] = values
    if (values.length > 1) return { kind: 'ended', why: null }
    const reading = await this.#read(value)
    return reading.kind === 'ended' ? reading : { kind: 'found', session: reading.opened.session }
  }

  /** The session that a principal came from; only for principals that this found. */
  sessionOf(principal: Principal): Session {
    const session = this.#byPrincipal.get(principal)
    if (session === undefined) throw new TypeError('a principal that no session made')
    return session
  }

  /** Whether it still stands; for streams, which ask every five seconds. */
  async isAlive(session: Session): Promise<boolean> {
    return (await this.#read(this.#openedOf(session).value)).kind === 'opened'
  }

  /**
   * The person is there: keeps the session from locking. Written at most every ten seconds.
   *
   * @throws SessionEnded when it has ended meanwhile.
   */
  async touch(session: Session): Promise<{ readonly idleExpiresAt: string; readonly expiresAt: string }> {
    const { store, clock, idleMs } = this.#options
    const opened = await this.#now(session)
    const now = clock.now()
    const { idleExpiresAt, expiresAt } = opened.session
    if (now - opened.row.activeAt < TOUCH_MS) return { idleExpiresAt, expiresAt }
    if (!(await store.touch(opened.key, now))) throw await this.#gone(opened.key)
    this.#forget(opened.key)
    return { idleExpiresAt: instant(now + idleMs), expiresAt }
  }

  /**
   * An access token for the audience that a cluster's members expect; null is the one that was signed in with. One that is
   * about to end is renewed behind while it is still given out, so nobody waits for the provider until it has to be.
   *
   * @throws SessionEnded when it cannot be renewed any more, ProviderUnavailable when it cannot be now.
   */
  async accessToken(session: Session, audience: string | null): Promise<string> {
    const opened = await this.#now(session)
    const name = this.#tokenName(audience)
    const held = opened.payload.accessTokens[name]
    const now = this.#options.clock.now()
    if (held !== undefined && !isEnding(held, now)) return held.token
    if (held !== undefined && held.expiresAt - now > SPARE_MS) {
      this.#renewOnce(opened, audience).catch((error: unknown) => {
        this.#options.logger.debug({ err: error }, 'A session was not renewed in advance')
      })
      return held.token
    }
    const renewed = await this.#renewOnce(opened, audience)
    const token = renewed.payload.accessTokens[name]
    if (token === undefined || token.expiresAt <= this.#options.clock.now()) {
      throw new ProviderUnavailable('The provider gave no access token that is valid now')
    }
    return token.token
  }

  /** The key of its row, by which a later sign-in in the same browser takes its place. */
  keyOf(session: Session): Buffer {
    return this.#openedOf(session).key
  }

  /** The refresh token, for revoking it at the provider; null when there is none. */
  refreshToken(session: Session): string | null {
    return this.#openedOf(session).payload.refreshToken
  }

  /** Ends one session; false when it had ended before. */
  async end(session: Session, kind: EndKind): Promise<boolean> {
    const { key } = this.#openedOf(session)
    return this.#end(key, kind, session.principal)
  }

  /** As the history marks what is done in a session; it opens nothing. */
  tagOf(key: Uint8Array): string {
    return this.#sessionTag(key)
  }

  /** Ends the session of a row; false when it had ended before. */
  endByKey(key: Uint8Array, kind: EndKind): Promise<boolean> {
    return this.#end(key, kind, null)
  }

  /** Ends all sessions of a person; gives how many there were. */
  endOfPerson(iss: string, sub: string, kind: EndKind): Promise<number> {
    return this.#endAll({ identity: this.identityTag(iss, sub), providerSession: null }, kind)
  }

  /** Ends the sessions that belong to one at the provider, and the person's that belong to none; gives how many. */
  endOfProviderSession(iss: string, sid: string, sub: string | null, kind: EndKind): Promise<number> {
    const identity = sub === null ? null : this.identityTag(iss, sub)
    return this.#endAll({ identity, providerSession: this.#providerSessionTag(iss, sid) }, kind)
  }

  /** Hears of every session that this process ends. Returns what ends the subscription. */
  subscribe(listener: (end: SessionEnd) => void): () => void {
    return this.#ends.subscribe(listener)
  }

  /** Ends, now and once a minute, what nobody comes back for. Returns what stops it. */
  startPruning(): () => void {
    const { clock, logger } = this.#options
    const again = () => {
      this.prune().catch((error: unknown) => logger.warn({ err: error }, 'Old sessions could not be ended'))
      this.#stopPruning = clock.after(PRUNE_MS, again)
    }
    again()
    return () => this.#stopPruning?.()
  }

  /** How many sessions were open when they were last looked after, whoever began them; null before. */
  get openCount(): number | null {
    return this.#openCount
  }

  async prune(): Promise<void> {
    const { store, clock, idleMs, absoluteMs } = this.#options
    const now = clock.now()
    const ended = await store.prune({ now, idleSince: now - idleMs, forgetBefore: now - absoluteMs })
    this.#openCount = ended.open
    for (const key of ended.idle) this.#tellEnd(key, 'idle', null)
    for (const key of ended.expired) this.#tellEnd(key, 'expired', null)
  }

  /** By which the sessions of one person are found. */
  identityTag(iss: string, sub: string): Buffer {
    return tagOf(this.#options.keys.hmac, 'identity', iss, sub)
  }

  #providerSessionTag(iss: string, sid: string): Buffer {
    return tagOf(this.#options.keys.hmac, 'provider session', iss, sid)
  }

  #read(value: string): Reading | Promise<Reading> {
    const now = this.#options.clock.monotonic()
    const known = this.#cache.find(value, now)
    if (known !== undefined) return known instanceof Promise ? this.#readInTime(known) : this.#inTime(known)
    const cookie = parseSessionCookie(value)
    if (cookie === undefined) return { kind: 'ended', why: null }
    const key = rowKeyOf(cookie)
    const reading = this.#readRow(cookie, key)
    this.#cache.keep(value, key.toString('hex'), reading, now)
    return this.#readInTime(reading)
  }

  async #readInTime(reading: Promise<Reading>): Promise<Reading> {
    return this.#inTime(await reading)
  }

  async #readRow(cookie: SessionCookie, key: Buffer): Promise<Reading> {
    const row = await this.#options.store.find(key)
    if (row === undefined) return { kind: 'ended', why: (await this.#options.store.endOf(key)) ?? null }
    const text = open(row.sealed, contextOf(key), { secret: cookie.secret, serverKey: this.#options.keys.server })
    const payload = text === undefined ? undefined : parsePayload(text)
    // Whoever has the id and not the secret learns nothing and ends nothing: the session may be somebody's.
    if (payload === undefined) return { kind: 'ended', why: 'unreadable' }
    return { kind: 'opened', opened: this.#open(cookie, key, row, payload) }
  }

  #inTime(reading: Reading): Reading | Promise<Reading> {
    if (reading.kind === 'ended') return reading
    const { row } = reading.opened
    const now = this.#options.clock.now()
    if (now >= row.expiresAt) return this.#endLate(reading.opened, 'expired')
    return now - row.activeAt >= this.#options.idleMs ? this.#endLate(reading.opened, 'idle') : reading
  }

  async #endLate({ key, session }: Opened, why: 'expired' | 'idle'): Promise<Reading> {
    await this.#end(key, why, session.principal)
    return { kind: 'ended', why }
  }

  #open(cookie: SessionCookie, key: Buffer, row: SessionRow, payload: SessionPayload): Opened {
    const { rolesOf, idleMs } = this.#options
    const { iss, sub, name, email, groups, authTime, amr } = payload
    const sessionTag = this.#sessionTag(key)
    const principal = { iss, sub, name, email, groups, roles: rolesOf({ groups }), authTime, amr, sessionTag }
    const session = {
      principal,
      idToken: payload.idToken,
      idleExpiresAt: instant(row.activeAt + idleMs),
      expiresAt: instant(row.expiresAt),
    }
    const opened = { cookie, value: formatSessionCookie(cookie), key, row, payload, session }
    this.#opened.set(session, opened)
    this.#byPrincipal.set(principal, session)
    return opened
  }

  #openedOf(session: Session): Opened {
    const opened = this.#opened.get(session)
    if (opened === undefined) throw new TypeError('a session that was not found here')
    return opened
  }

  /** The session as it is now; what a request found a second ago may have been renewed or ended since. */
  async #now(session: Session): Promise<Opened> {
    const reading = await this.#read(this.#openedOf(session).value)
    if (reading.kind === 'ended') throw new SessionEnded(reading.why ?? 'unreadable')
    return reading.opened
  }

  #renewOnce(opened: Opened, audience: string | null): Promise<Opened> {
    const name = `${opened.key.toString('hex')} ${this.#tokenName(audience)}`
    const running = this.#refreshes.get(name)
    if (running !== undefined) return running
    const paused = this.#paused.get(name)
    if (paused !== undefined && this.#options.clock.monotonic() < paused.until) return Promise.reject(paused.error)
    const refresh = this.#renew(opened, audience).finally(() => this.#refreshes.delete(name))
    this.#refreshes.set(name, refresh)
    refresh.then(
      () => this.#paused.delete(name),
      (error: unknown) => this.#pause(name, error),
    )
    return refresh
  }

  /** Under which an access token is kept; the one that was signed in with has the empty name. */
  #tokenName(audience: string | null): string {
    return audience === null || audience === this.#options.provider.audience ? '' : audience
  }

  #pause(name: string, error: unknown): void {
    if (!(error instanceof ProviderUnavailable)) return
    if (this.#paused.size >= MOST_PAUSED) this.#paused.clear()
    this.#paused.set(name, { until: this.#options.clock.monotonic() + PAUSE_MS, error })
  }

  async #renew(opened: Opened, audience: string | null): Promise<Opened> {
    const { store, clock } = this.#options
    const { key, cookie } = opened
    const begun = clock.now()
    for (;;) {
      const row = await store.lockRefresh(key, clock.now())
      if (row !== undefined) return this.#renewLocked(this.#reopen(cookie, key, row), audience)
      const other = await store.find(key)
      if (other === undefined) throw await this.#gone(key)
      const since = other.refreshStartedAt
      if (since !== null && clock.now() - since > LOCK_MS) {
        // Whoever had the right is gone, and with them the answer.
        await this.#end(key, 'refresh-lost', opened.session.principal)
        throw new SessionEnded('refresh-lost')
      }
      if (clock.now() - begun > LOCK_MS)
        throw new ProviderUnavailable('Somebody else did not finish renewing the session')
      await sleep(clock, LOCK_POLL_MS)
    }
  }

  async #renewLocked(opened: Opened, audience: string | null): Promise<Opened> {
    const { store, provider, clock, logger } = this.#options
    const { key, cookie, payload, row, session } = opened
    const name = this.#tokenName(audience)
    const held = payload.accessTokens[name]
    const now = clock.now()
    if (held !== undefined && !isEnding(held, now)) {
      await store.unlockRefresh(key)
      return this.#remember(opened)
    }
    if (payload.refreshToken === null) {
      await store.unlockRefresh(key)
      if (held !== undefined && held.expiresAt > now) return opened
      if (name !== '') throw new ProviderUnavailable(`Without a refresh token there is no access token for ${name}`)
      await this.#end(key, 'token-expired', session.principal)
      throw new SessionEnded('token-expired')
    }
    let granted: Granted
    try {
      granted = await provider.refresh(payload.refreshToken, audience, payload.sub)
    } catch (error) {
      if (error instanceof RefreshRefused || error instanceof RefreshLost) {
        const kind = error instanceof RefreshRefused ? 'refresh-refused' : 'refresh-lost'
        logger.warn({ err: error, session: session.principal.sessionTag }, 'A session could not be renewed')
        await this.#end(key, kind, session.principal)
        throw new SessionEnded(kind, { cause: error })
      }
      await store.unlockRefresh(key)
      throw error
    }
    const renewed = renewedPayload(payload, granted, name)
    const sealed = this.#seal(renewed, cookie, key)
    if (!(await this.#commit(key, sealed, row.version + 1))) {
      // It was ended meanwhile, and what was just given for it must not outlive it.
      if (granted.refreshToken !== null) await provider.revoke(granted.refreshToken).catch(() => undefined)
      throw await this.#gone(key)
    }
    return this.#remember(
      this.#open(cookie, key, { ...row, sealed, version: row.version + 1, refreshStartedAt: null }, renewed),
    )
  }

  /**
   * The old refresh token is worth nothing any more, so a disk that refuses for a moment is tried again; nothing of the
   * answer is used before it is durable.
   */
  async #commit(key: Buffer, sealed: Buffer, version: number): Promise<boolean> {
    const { store, clock } = this.#options
    const begun = clock.now()
    for (;;) {
      try {
        return await store.commitRefresh(key, sealed, version)
      } catch (error) {
        if (clock.now() - begun > LOCK_MS / 2) throw error
        await sleep(clock, COMMIT_RETRY_MS)
      }
    }
  }

  /** What was just written is what is believed for the next second. */
  #remember(opened: Opened): Opened {
    const reading = Promise.resolve<Reading>({ kind: 'opened', opened })
    this.#cache.keep(opened.value, opened.key.toString('hex'), reading, this.#options.clock.monotonic())
    return opened
  }

  #reopen(cookie: SessionCookie, key: Buffer, row: SessionRow): Opened {
    const text = open(row.sealed, contextOf(key), { secret: cookie.secret, serverKey: this.#options.keys.server })
    const payload = text === undefined ? undefined : parsePayload(text)
    if (payload === undefined) throw new SessionEnded('unreadable')
    return this.#open(cookie, key, row, payload)
  }

  #seal(payload: SessionPayload, cookie: SessionCookie, key: Buffer): Buffer {
    const keys = { secret: cookie.secret, serverKey: this.#options.keys.server }
    return seal(JSON.stringify(payload), contextOf(key), keys, this.#options.random)
  }

  async #gone(key: Buffer): Promise<SessionEnded> {
    this.#forget(key)
    return new SessionEnded((await this.#options.store.endOf(key)) ?? 'unreadable')
  }

  async #end(key: Uint8Array, kind: EndKind, principal: Principal | null): Promise<boolean> {
    const ended = await this.#options.store.end(key, kind, this.#options.clock.now())
    this.#forget(key)
    if (ended) this.#tellEnd(key, kind, principal)
    return ended
  }

  async #endAll(whose: WhoseSessions, kind: EndKind): Promise<number> {
    const keys = await this.#options.store.endAll(whose, kind, this.#options.clock.now())
    for (const key of keys) this.#tellEnd(key, kind, null)
    return keys.length
  }

  #tellEnd(key: Uint8Array, kind: EndKind, principal: Principal | null): void {
    this.#forget(key)
    this.#ends.publish({ kind, sessionTag: this.#sessionTag(key), principal })
  }

  #sessionTag(key: Uint8Array): string {
    return tagOf(this.#options.keys.hmac, 'session', Buffer.from(key).toString('hex')).toString('hex').slice(0, 32)
  }

  #forget(key: Uint8Array): void {
    this.#cache.forget(Buffer.from(key).toString('hex'))
  }
}

function renewedPayload(payload: SessionPayload, granted: Granted, tokenName: string): SessionPayload {
  return {
    ...payload,
    // A provider may keep the old one by giving none (RFC 6749, 6).
    refreshToken: granted.refreshToken ?? payload.refreshToken,
    idToken: granted.idToken ?? payload.idToken,
    groups: granted.groups === null ? payload.groups : [...granted.groups],
    accessTokens: { ...payload.accessTokens, [tokenName]: granted.accessToken },
  }
}

function contextOf(key: Uint8Array): string {
  return `session ${Buffer.from(key).toString('hex')}`
}
