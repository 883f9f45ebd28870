import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom as random } from '../lib/random.ts'
import { ProviderUnavailable, RefreshLost, RefreshRefused, SessionEnded } from './session-error.ts'
import { SqliteSessionStore } from './session-store.sqlite.ts'
import { Sessions } from './sessions.ts'
import type { FoundSession, Granted, Refresher, Session, SessionEnd, SignedIn } from './sessions.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

let database: Database
let clock: ManualClock
let provider: TestProvider
const keys = { server: random.bytes(32), hmac: random.bytes(32) }

/** Gives tokens that live ten minutes, counts, and takes a refresh token that is used twice for stolen. */
class TestProvider implements Refresher {
  readonly audience = 'incus'
  refreshes = 0
  readonly revoked: string[] = []
  readonly audiences: (string | null)[] = []
  failure: Error | undefined
  before: () => Promise<void> = () => Promise.resolve()
  #valid = 'r0'

  async refresh(refreshToken: string, audience: string | null): Promise<Granted> {
    this.refreshes += 1
    this.audiences.push(audience)
    await this.before()
    if (this.failure !== undefined) throw this.failure
    if (refreshToken !== this.#valid) throw new RefreshRefused(`${refreshToken} was used before`)
    this.#valid = `r${this.refreshes}`
    return { accessToken: this.token(), refreshToken: this.#valid, idToken: null, groups: null }
  }

  revoke(refreshToken: string): Promise<void> {
    this.revoked.push(refreshToken)
    return Promise.resolve()
  }

  token(lifetime = 10 * MINUTE) {
    return { token: `a${this.refreshes}`, issuedAt: clock.now(), expiresAt: clock.now() + lifetime }
  }
}

beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
  clock = new ManualClock()
  provider = new TestProvider()
})

afterEach(() => database.close())

function replica(options: Partial<ConstructorParameters<typeof Sessions>[0]> = {}) {
  return new Sessions({
    store: new SqliteSessionStore(database),
    provider,
    keys,
    rolesOf: ({ groups }) => (groups.includes('admins') ? ['admin'] : []),
    clock,
    random,
    logger: silentLogger,
    ...options,
  })
}

const jo = (said: Partial<SignedIn> = {}): SignedIn => ({
  iss: 'https://idp.example.net',
  sub: 'jo',
  name: 'Jo',
  email: 'jo@example.net',
  groups: ['admins'],
  authTime: 1,
  amr: ['pwd'],
  sid: 's1',
  idToken: 'id-token',
  refreshToken: 'r0',
  accessToken: provider.token(),
  ...said,
})

const headerOf = (cookie: string) => `__Host-Http-sid=${cookie}`

async function begin(sessions: Sessions, said?: Partial<SignedIn>, replaces?: Uint8Array) {
  const { cookie, session } = await sessions.begin(jo(said), replaces)
  return { header: headerOf(cookie), cookie, session }
}

async function found(sessions: Sessions, header: string): Promise<Session> {
  const result = await sessions.find(header)
  if (result.kind !== 'found') throw new Error(`no session: ${JSON.stringify(result)}`)
  return result.session
}

/** Lets the clock go on until the promise is settled; the work behind it waits on the clock. */
async function settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const state = { done: false }
  const result = Promise.allSettled([promise]).then(([one]) => {
    state.done = true
    return one
  })
  for (let step = 0; step < 2000 && !state.done; step += 1) {
    // The database works in real time: an answer of it for each step of the clock.
    await sql`select 1`.execute(database.tables())
    await clock.pass(50)
  }
  return result
}

describe('a session', () => {
  test('is found by its cookie, with who it is', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    const session = await found(sessions, header)
    expect(session.principal).toMatchObject({
      iss: 'https://idp.example.net',
      sub: 'jo',
      name: 'Jo',
      email: 'jo@example.net',
      groups: ['admins'],
      roles: ['admin'],
      authTime: 1,
      amr: ['pwd'],
    })
    expect(session.principal.sessionTag).toMatch(/^[0-9a-f]{32}$/)
    expect(sessions.sessionOf(session.principal)).toBe(session)
    expect([session.idleExpiresAt, session.expiresAt]).toEqual(['2026-01-01T00:30:00.000Z', '2026-01-01T10:00:00.000Z'])
  })

  test('is found by another replica too', async () => {
    const { header } = await begin(replica())
    expect((await found(replica(), header)).principal.sub).toBe('jo')
  })

  test.each<[string, string | undefined, FoundSession]>([
    ['no cookie', undefined, { kind: 'none' }],
    ['other cookies', 'a=b', { kind: 'none' }],
    ['nonsense', '__Host-Http-sid=nonsense', { kind: 'ended', why: null }],
    ['one that never was', `__Host-Http-sid=${'A'.repeat(22)}.${'A'.repeat(43)}`, { kind: 'ended', why: null }],
  ])('is not found with %s', async (_, header, expected) => {
    expect(await replica().find(header)).toEqual(expected)
  })

  test('is not found when its cookie came twice', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    expect(await sessions.find(`${header}; ${header}`)).toEqual({ kind: 'ended', why: null })
  })

  test('ends after 30 minutes without the person, and the reason is kept', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(30 * MINUTE - 1)
    await found(sessions, header)
    await clock.pass(1)
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'idle' })
    await clock.pass(2000)
    expect(await replica().find(header)).toEqual({ kind: 'ended', why: 'idle' })
  })

  test('is kept by the person, and only by them', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    for (let minute = 0; minute < 29; minute += 1) {
      await clock.pass(MINUTE)
      await sessions.isAlive(await found(sessions, header))
    }
    const touched = await sessions.touch(await found(sessions, header))
    expect(touched).toEqual({ idleExpiresAt: '2026-01-01T00:59:00.000Z', expiresAt: '2026-01-01T10:00:00.000Z' })
    await clock.pass(29 * MINUTE)
    await found(sessions, header)
    await clock.pass(MINUTE)
    expect((await sessions.find(header)).kind).toBe('ended')
  })

  test('says nothing but the times when it is touched', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    expect(Object.keys(await sessions.touch(await found(sessions, header)))).toEqual(['idleExpiresAt', 'expiresAt'])
  })

  test('ends after ten hours whatever the person does', async () => {
    const sessions = replica()
    const { header } = await begin(sessions, { accessToken: provider.token(11 * HOUR) })
    for (let quarter = 0; quarter < 39; quarter += 1) {
      await clock.pass(15 * MINUTE)
      await sessions.touch(await found(sessions, header))
    }
    await clock.pass(15 * MINUTE)
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'expired' })
  })

  test('dies when the person signs in again, in the same transaction', async () => {
    const sessions = replica()
    const first = await begin(sessions)
    const second = await begin(sessions, {}, sessions.keyOf(first.session))
    expect(await sessions.find(first.header)).toEqual({ kind: 'ended', why: 'renewed' })
    expect((await found(sessions, second.header)).principal.sub).toBe('jo')
    expect(second.cookie).not.toBe(first.cookie)
  })

  test('of one person there are five; the oldest ends, and is told', async () => {
    const sessions = replica()
    const ends: SessionEnd[] = []
    sessions.subscribe((end) => ends.push(end))
    const all = []
    for (let index = 0; index < 7; index += 1) {
      all.push(await begin(sessions))
      await clock.pass(1000)
    }
    await begin(sessions, { sub: 'al' })
    const kinds = await Promise.all(all.map(async ({ header }) => (await sessions.find(header)).kind))
    expect(kinds).toEqual(['ended', 'ended', 'found', 'found', 'found', 'found', 'found'])
    expect(ends.map(({ kind, sessionTag }) => [kind, sessionTag])).toEqual([
      ['replaced', all[0]!.session.principal.sessionTag],
      ['replaced', all[1]!.session.principal.sessionTag],
    ])
  })

  test('that nobody comes back for is ended once a minute, and told', async () => {
    const sessions = replica()
    const ends: string[] = []
    sessions.subscribe(({ kind }) => ends.push(kind))
    await begin(sessions)
    const stop = sessions.startPruning()
    await clock.pass(29 * MINUTE)
    expect(ends).toEqual([])
    await clock.pass(2 * MINUTE)
    await settle(sessions.prune())
    expect(ends).toEqual(['idle'])
    stop()
  })

  test('cannot be looked for while the database does not answer, and can be again after', async () => {
    const sessions = replica({ cacheMs: 0 })
    const { header } = await begin(sessions)
    await sql`alter table session rename to away`.execute(database.tables())
    await expect(sessions.find(header)).rejects.toBeInstanceOf(Error)
    await sql`alter table away rename to session`.execute(database.tables())
    await found(sessions, header)
  })
})

describe('T-session-seal', () => {
  test('the database and the server key open no session without its cookie', async () => {
    const sessions = replica()
    const { header, cookie } = await begin(sessions)
    const rows = await sql<Record<string, unknown>>`select * from session`.execute(database.tables())
    const [row] = rows.rows
    const everything = JSON.stringify(row, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    )
    for (const secret of ['jo@example.net', 'id-token', 'admins', 'Jo', 'https://idp', cookie.split('.')[0] ?? '']) {
      expect(everything).not.toContain(secret)
    }
    // Whoever has the database could try what is in it as a secret, with the real id even.
    const [id = ''] = cookie.split('.')
    for (const column of Object.values(row ?? {})) {
      if (!(column instanceof Uint8Array) || column.length < 32) continue
      const guess = Buffer.from(column.subarray(0, 32)).toString('base64url')
      expect(await replica().find(headerOf(`${id}.${guess}`))).toEqual({ kind: 'ended', why: 'unreadable' })
    }
    await found(replica(), header)
  })

  test('a wrong secret for a right id ends nothing for its owner', async () => {
    const sessions = replica()
    const { header, cookie } = await begin(sessions)
    const [id = ''] = cookie.split('.')
    expect(await sessions.find(headerOf(`${id}.${'A'.repeat(43)}`))).toEqual({ kind: 'ended', why: 'unreadable' })
    await found(sessions, header)
  })

  test('another server key opens nothing', async () => {
    const { header } = await begin(replica())
    const other = replica({ keys: { ...keys, server: random.bytes(32) } })
    expect(await other.find(header)).toEqual({ kind: 'ended', why: 'unreadable' })
  })

  test('one flipped bit in the row, and it opens no more', async () => {
    const { header } = await begin(replica())
    const rows = await sql<{ sealed: Uint8Array }>`select sealed from session`.execute(database.tables())
    const sealed = rows.rows[0]!.sealed
    for (let bit = 0; bit < sealed.length * 8; bit += 97) {
      const flipped = Uint8Array.from(sealed)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      await sql`update session set sealed = ${flipped}`.execute(database.tables())
      expect(await replica().find(header), `bit ${bit}`).toEqual({ kind: 'ended', why: 'unreadable' })
    }
    await sql`update session set sealed = ${sealed}`.execute(database.tables())
    await found(replica(), header)
  })

  test('what was sealed for one row does not open in another', async () => {
    const sessions = replica()
    const first = await begin(sessions)
    await begin(sessions, { sub: 'mallory', groups: [] })
    const mallory = sessions.identityTag('https://idp.example.net', 'mallory')
    await sql`update session set sealed = (select sealed from session where identity = ${mallory})`.execute(
      database.tables(),
    )
    expect(await replica().find(first.header)).toEqual({ kind: 'ended', why: 'unreadable' })
  })
})

describe('T-revoke-bound, without any notification between replicas', () => {
  test.each<[string, (sessions: Sessions, session: Session) => Promise<unknown>]>([
    ['signing out', (sessions, session) => sessions.end(session, 'signed-out')],
    ['an administrator', (sessions, session) => sessions.end(session, 'ended-by-admin')],
    [
      'the provider, by its session',
      (sessions) => sessions.endOfProviderSession('https://idp.example.net', 's1', 'jo', 'ended-by-provider'),
    ],
    [
      'the provider, by the person',
      (sessions) => sessions.endOfPerson('https://idp.example.net', 'jo', 'ended-by-provider'),
    ],
    [
      'a refused renewal',
      async (sessions, session) => {
        provider.failure = new RefreshRefused('invalid_grant')
        await clock.pass(0)
        return sessions.accessToken(session, 'another').catch(() => undefined)
      },
    ],
  ])('%s ends a session on every replica within a second', async (_, revoke) => {
    const replicas = [replica(), replica(), replica()] as const
    for (let round = 0; round < 10; round += 1) {
      const { header } = await begin(replicas[0])
      for (const one of replicas) await found(one, header)
      const open = await Promise.all(replicas.map((one) => found(one, header)))
      await clock.pass(Math.floor(random.fraction() * 1000))
      for (const one of replicas) await found(one, header)
      await revoke(replicas[1], await found(replicas[1], header))
      provider.failure = undefined
      expect((await replicas[1].find(header)).kind).toBe('ended')
      await clock.pass(1000)
      for (const [index, one] of replicas.entries()) {
        expect((await one.find(header)).kind).toBe('ended')
        expect(await one.isAlive(open[index]!)).toBe(false)
        await expect(one.accessToken(open[index]!, null)).rejects.toBeInstanceOf(SessionEnded)
        await expect(one.touch(open[index]!)).rejects.toBeInstanceOf(SessionEnded)
      }
    }
  })

  test('the provider ends only the session it names, and those it never named', async () => {
    const sessions = replica()
    const named = await begin(sessions, { sid: 's1' })
    const other = await begin(sessions, { sid: 's2' })
    const unnamed = await begin(sessions, { sid: null })
    const stranger = await begin(sessions, { sub: 'al', sid: null })
    expect(await sessions.endOfProviderSession('https://idp.example.net', 's1', 'jo', 'ended-by-provider')).toBe(2)
    const kinds = await Promise.all(
      [named, other, unnamed, stranger].map(async ({ header }) => (await sessions.find(header)).kind),
    )
    expect(kinds).toEqual(['ended', 'found', 'ended', 'found'])
  })
})

describe('T-refresh-race', () => {
  test('200 requests at the end of a token make one renewal, and nobody is signed out', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(10 * MINUTE)
    const tokens = await Promise.all(
      Array.from({ length: 200 }, async () => sessions.accessToken(await found(sessions, header), null)),
    )
    expect([provider.refreshes, new Set(tokens)]).toEqual([1, new Set(['a1'])])
    await clock.pass(2000)
    await found(sessions, header)
  })

  test('so do 200 requests to two replicas', async () => {
    const replicas = [replica(), replica()] as const
    const { header } = await begin(replicas[0])
    await clock.pass(10 * MINUTE)
    let release: () => void = () => undefined
    provider.before = () => new Promise((resolve) => (release = resolve))
    const all = Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const one = replicas[index % 2] ?? replicas[0]
        return one.accessToken(await found(one, header), null)
      }),
    )
    await vi.waitUntil(() => provider.refreshes === 1, { interval: 1 })
    release()
    const ended = await settle(all)
    expect(ended).toMatchObject({ status: 'fulfilled' })
    expect(provider.refreshes).toBe(1)
    expect(new Set(ended.status === 'fulfilled' ? ended.value : [])).toEqual(new Set(['a1']))
    for (const one of replicas) await found(one, header)
  })

  test('in the last minute the old one is still given while the new one is fetched behind', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(9 * MINUTE + 1)
    const session = await found(sessions, header)
    const first = await Promise.all(Array.from({ length: 50 }, () => sessions.accessToken(session, null)))
    expect(new Set(first)).toEqual(new Set(['a0']))
    await vi.waitFor(async () => expect(await sessions.accessToken(session, null)).toBe('a1'))
    expect(provider.refreshes).toBe(1)
  })

  test('the new refresh token is durable before the new access token is used', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    const session = await found(sessions, header)
    await clock.pass(10 * MINUTE)
    provider.before = async () => {
      await sql`pragma query_only = 1`.execute(database.tables())
    }
    let given = false
    const token = sessions.accessToken(session, null).then((value) => {
      given = true
      return value
    })
    await vi.waitUntil(() => provider.refreshes === 1, { interval: 1 })
    for (let step = 0; step < 20; step += 1) await clock.pass(100)
    expect([provider.refreshes, given]).toEqual([1, false])
    await sql`pragma query_only = 0`.execute(database.tables())
    expect(await settle(token)).toMatchObject({ value: 'a1' })
    const reread = replica()
    expect(await reread.accessToken(await found(reread, header), null)).toBe('a1')
  })

  test('a lost reply signs out cleanly, and is not asked for again', async () => {
    const sessions = replica()
    const ends: string[] = []
    sessions.subscribe(({ kind, principal }) => ends.push(`${kind} ${principal?.sub}`))
    const { header } = await begin(sessions)
    await clock.pass(10 * MINUTE)
    provider.failure = new RefreshLost('connection reset')
    const session = await found(sessions, header)
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => sessions.accessToken(session, null)))
    expect(all.every((one) => one.status === 'rejected' && one.reason instanceof SessionEnded)).toBe(true)
    expect(provider.refreshes).toBe(1)
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'refresh-lost' })
    expect(ends).toEqual(['refresh-lost jo'])
  })

  test('a replica that died while it renewed leaves a session that ends, and no loop', async () => {
    const { header } = await begin(replica())
    await clock.pass(10 * MINUTE)
    await sql`update session set refresh_started_at = ${clock.now()}`.execute(database.tables())
    const sessions = replica()
    const ended = await settle(sessions.accessToken(await found(sessions, header), null))
    expect(ended).toMatchObject({ status: 'rejected', reason: { kind: 'refresh-lost' } })
    expect(provider.refreshes).toBe(0)
  })

  test('a session that was ended while it was renewed stays ended, and its new token is revoked', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(10 * MINUTE)
    const session = await found(sessions, header)
    let release: () => void = () => undefined
    provider.before = () => new Promise((resolve) => (release = resolve))
    const token = sessions.accessToken(session, null).catch((error: unknown) => error)
    await vi.waitUntil(() => provider.refreshes === 1, { interval: 1 })
    await replica()
      .end(await found(sessions, header), 'ended-by-admin')
      .catch(() => undefined)
    await sessions.end(session, 'ended-by-admin')
    release()
    expect(await token).toBeInstanceOf(SessionEnded)
    expect(provider.revoked).toEqual(['r1'])
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'ended-by-admin' })
  })
})

describe('an access token', () => {
  test('is the same until its last minute', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(9 * MINUTE - 1)
    expect(await sessions.accessToken(await found(sessions, header), null)).toBe('a0')
    expect(provider.refreshes).toBe(0)
  })

  test('for another audience is fetched once, and kept beside the first', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    const session = await found(sessions, header)
    expect(await sessions.accessToken(session, 'incus-us')).toBe('a1')
    expect(await sessions.accessToken(session, 'incus-us')).toBe('a1')
    expect(await sessions.accessToken(session, null)).toBe('a0')
    expect(provider.audiences).toEqual(['incus-us'])
  })

  test('for the audience of the sign-in is the one that was signed in with', async () => {
    const sessions = replica()
    const { session } = await begin(sessions)
    expect(await sessions.accessToken(session, 'incus')).toBe('a0')
    expect(provider.refreshes).toBe(0)
  })

  test('for another audience cannot be had without a refresh token, and that ends nothing', async () => {
    const sessions = replica()
    const { header, session } = await begin(sessions, { refreshToken: null })
    await expect(sessions.accessToken(session, 'incus-us')).rejects.toMatchObject({ code: 'provider_unavailable' })
    expect(await sessions.accessToken(await found(sessions, header), null)).toBe('a0')
  })

  test('is asked for again when the provider comes back, and the session stays', async () => {
    const sessions = replica()
    const { header } = await begin(sessions)
    await clock.pass(10 * MINUTE)
    provider.failure = new ProviderUnavailable('connection refused')
    const session = await found(sessions, header)
    for (let tries = 0; tries < 20; tries += 1) {
      await expect(sessions.accessToken(session, null)).rejects.toBeInstanceOf(ProviderUnavailable)
    }
    expect(provider.refreshes).toBe(1)
    provider.failure = undefined
    await clock.pass(5000)
    expect(await sessions.accessToken(await found(sessions, header), null)).toBe('a2')
  })

  test('that ended with nothing to renew it ends the session', async () => {
    const sessions = replica()
    const { header } = await begin(sessions, { refreshToken: null })
    await clock.pass(10 * MINUTE)
    const ended = sessions.accessToken(await found(sessions, header), null)
    await expect(ended).rejects.toMatchObject({ kind: 'token-expired' })
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'token-expired' })
  })

  test('that lives shortly is not renewed at every request', async () => {
    const sessions = replica()
    const { header } = await begin(sessions, { accessToken: provider.token(20_000) })
    const session = await found(sessions, header)
    for (let request = 0; request < 20; request += 1) expect(await sessions.accessToken(session, null)).toBe('a0')
    expect(provider.refreshes).toBe(0)
  })

  test('is never of a principal that no session made', () => {
    const sessions = replica()
    const principal = { ...jo(), roles: [], sessionTag: 'x' }
    expect(() => sessions.sessionOf(principal)).toThrow(TypeError)
  })
})
