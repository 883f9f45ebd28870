/**
 * Who is signed in where, for those who want to see it and end it. The sessions themselves open to nobody without their
 * cookie; what is noted here is sealed with the server key, so that the database alone does not tell it either.
 */
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Keys } from '../lib/keys.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { deviceOf } from './device.ts'
import type { Principal } from './principal.ts'
import { open, seal } from './seal.ts'
import type { SessionListStore } from './session-list-store.ts'
import type { Session, Sessions } from './sessions.ts'

export interface ListedSession {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  readonly device: string | null
  readonly address: string | null
  readonly since: string
  readonly usedAt: string
  readonly expiresAt: string
  readonly current: boolean
}

export interface SessionListOptions {
  readonly store: SessionListStore
  readonly sessions: Pick<Sessions, 'keyOf' | 'identityTag' | 'tagOf' | 'endByKey'>
  readonly keys: Pick<Keys, 'server'>
  readonly idleMs: number
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly logger: Logger
}

/** There is no such session, or it is not theirs. */
export class NoSuchSession extends Error {
  override readonly name = 'NoSuchSession'
  readonly code = 'not_found'
}

const Note = z.object({
  name: z.string(),
  email: z.string().nullable(),
  device: z.string().nullable(),
  address: z.string(),
})

export class SessionList {
  readonly #options: SessionListOptions

  constructor(options: SessionListOptions) {
    this.#options = options
  }

  /** Notes where somebody has signed in. What cannot be noted is missing in the list, and keeps nobody out. */
  note(session: Session, clientAddress: string, userAgent: string | null): void {
    const { store, sessions, keys, random, logger } = this.#options
    const { name, email } = session.principal
    const key = sessions.keyOf(session)
    const note = { name, email, device: deviceOf(userAgent), address: clientAddress }
    const sealed = seal(JSON.stringify(note), contextOf(key), sealKeys(keys), random)
    store.note(key, sealed).catch((error: unknown) => {
      logger.warn({ err: error }, 'Where somebody signed in could not be noted')
    })
  }

  /** The sessions of whoever asks. */
  mine(principal: Principal): Promise<readonly ListedSession[]> {
    return this.#list(this.#options.sessions.identityTag(principal.iss, principal.sub), principal)
  }

  /** Everybody's. */
  all(principal: Principal): Promise<readonly ListedSession[]> {
    return this.#list(null, principal)
  }

  /** Ends one of one's own. @throws NoSuchSession */
  async endMine(principal: Principal, id: string): Promise<void> {
    const { sessions } = this.#options
    await this.#end(sessions.identityTag(principal.iss, principal.sub), id, 'signed-out')
  }

  /** Ends anybody's. @throws NoSuchSession */
  async endAny(id: string): Promise<void> {
    await this.#end(null, id, 'ended-by-admin')
  }

  async #list(identity: Uint8Array | null, { sessionTag }: Principal): Promise<readonly ListedSession[]> {
    const { sessions } = this.#options
    const rows = await this.#rows(identity)
    return rows.map(({ key, createdAt, activeAt, expiresAt, sealed }) => {
      const id = sessions.tagOf(key)
      const note = sealed === null ? undefined : this.#read(key, sealed)
      return {
        id,
        name: note?.name ?? null,
        email: note?.email ?? null,
        device: note?.device ?? null,
        address: note?.address ?? null,
        since: instant(createdAt),
        usedAt: instant(activeAt),
        expiresAt: instant(expiresAt),
        current: id === sessionTag,
      }
    })
  }

  async #end(identity: Uint8Array | null, id: string, kind: 'signed-out' | 'ended-by-admin'): Promise<void> {
    const { sessions } = this.#options
    const row = (await this.#rows(identity)).find(({ key }) => sessions.tagOf(key) === id)
    if (row === undefined || !(await sessions.endByKey(row.key, kind))) {
      throw new NoSuchSession('There is no such session, or it has ended already.')
    }
  }

  async #rows(identity: Uint8Array | null) {
    const { store, clock, idleMs } = this.#options
    const now = clock.now()
    const rows = await store.list(identity, now - idleMs)
    return rows.filter(({ expiresAt }) => expiresAt > now)
  }

  #read(key: Uint8Array, sealed: Uint8Array): z.infer<typeof Note> | undefined {
    const text = open(sealed, contextOf(key), sealKeys(this.#options.keys))
    const parsed = text === undefined ? undefined : Note.safeParse(JSON.parse(text))
    return parsed?.data
  }
}

function contextOf(key: Uint8Array): string {
  return `session note ${Buffer.from(key).toString('hex')}`
}

function sealKeys({ server }: Pick<Keys, 'server'>) {
  return { secret: server, serverKey: server }
}
