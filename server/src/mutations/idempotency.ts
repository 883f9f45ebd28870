import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { tagOf } from '../lib/keys.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { AlreadyRunning, IdempotencyKeyReused, OutcomeStillUnknown } from './idempotency-error.ts'
import type { IdempotencyStore, KeyOfPerson } from './idempotency-store.ts'

/** A reply that can be given again. */
export const KeptReply = z.object({
  status: z.int(),
  /** JSON. */
  body: z.string(),
  via: z.string().nullable(),
  attempts: z.int(),
})
export type KeptReply = z.infer<typeof KeptReply>

export interface IdempotentRequest {
  /** What the client chose; a UUID. */
  readonly key: string
  readonly principal: { readonly iss: string; readonly sub: string }
  /** A hash of all that makes it this request and no other: method, path, query and body. */
  readonly bodyHash: string
}

export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  /** Under which the person is filed, so that the database does not name them. */
  readonly hmacKey: Buffer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Whether what was asked may have been done although the work failed. Default: its code is `outcome_unknown`. */
  readonly mayHaveHappened?: (error: unknown) => boolean
}

const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

/** Takes over what an earlier process left: what it was doing when it ended has an unknown outcome. */
export async function openIdempotencyKeys(options: IdempotencyOptions): Promise<IdempotencyKeys> {
  const keys = new IdempotencyKeys(options)
  await keys.takeOver()
  return keys
}

/** A change that is asked for twice with one key is made once, and answered twice. Keys are kept for 24 hours. */
export class IdempotencyKeys {
  readonly #options: IdempotencyOptions
  readonly #owner: string
  /** What this process is doing now, by key, and for which request. */
  readonly #underWay = new Map<string, Buffer>()
  /** Ends that the database did not take, by key: it is told again before anything else is done with the key. */
  readonly #untold = new Map<string, () => Promise<void>>()
  #forgottenAt = Number.NEGATIVE_INFINITY

  /** Use `openIdempotencyKeys`. */
  constructor(options: IdempotencyOptions) {
    this.#options = options
    this.#owner = options.random.uuid()
  }

  async takeOver(): Promise<void> {
    await this.#options.store.leaveUnknownOfOthers(this.#owner)
  }

  /**
   * Does the work once per key and person. Whoever asks again gets the kept reply. Work that failed before anything was
   * sent frees its key; work with an unknown outcome keeps it, and is not done again.
   *
   * @throws IdempotencyKeyReused when the key was used for another request, AlreadyRunning while it is being done,
   *   OutcomeStillUnknown when it was sent before and not answered, StorageUnavailable when the key cannot be kept, and
   *   what the work throws.
   */
  async run(request: IdempotentRequest, work: () => Promise<KeptReply>): Promise<KeptReply> {
    const { iss, sub } = request.principal
    const key = { person: tagOf(this.#options.hmacKey, 'idempotency', iss, sub), key: request.key }
    const wanted = Buffer.from(request.bodyHash)
    const id = idOf(key)
    const other = this.#underWay.get(id)
    if (other !== undefined) throw wanted.equals(other) ? running() : reused()
    this.#underWay.set(id, wanted)
    try {
      return await this.#runAlone(key, wanted, work)
    } finally {
      this.#underWay.delete(id)
    }
  }

  /** Nobody else in this process does anything with the key meanwhile. */
  async #runAlone(key: KeyOfPerson, wanted: Buffer, work: () => Promise<KeptReply>): Promise<KeptReply> {
    const { store, clock } = this.#options
    this.#forgetOld()
    await this.#tellAgain(key)
    const kept = await store.take(key, wanted, this.#owner, clock.now())
    if (kept === 'taken') return this.#do(key, work)
    if (!wanted.equals(kept.request)) throw reused()
    if (kept.state === 'running') {
      // This process took it and did nothing with it: the database had written it down and could not say so.
      if (kept.owner === this.#owner) return this.#do(key, work)
      throw running()
    }
    if (kept.state === 'unknown' || kept.response === null) {
      throw new OutcomeStillUnknown('What was asked with this Idempotency-Key was sent before and not answered')
    }
    return KeptReply.parse(JSON.parse(kept.response))
  }

  async #do(key: KeyOfPerson, work: () => Promise<KeptReply>): Promise<KeptReply> {
    const { store, mayHaveHappened = isUnknownOutcome } = this.#options
    let reply: KeptReply
    try {
      reply = await work()
    } catch (error) {
      const mayHave = mayHaveHappened(error)
      await this.#tell(key, () => (mayHave ? store.leaveUnknown(key, this.#owner) : store.release(key, this.#owner)))
      throw error
    }
    await this.#tell(key, () => store.finish(key, this.#owner, JSON.stringify(reply)))
    return reply
  }

  /** It has been done, or not, whatever the database says now: the key stays taken, and the person gets their answer. */
  async #tell(key: KeyOfPerson, end: () => Promise<void>): Promise<void> {
    try {
      await end()
    } catch (error) {
      this.#untold.set(idOf(key), end)
      this.#options.logger.error({ err: error }, 'The end of a change could not be kept under its Idempotency-Key')
    }
  }

  async #tellAgain(key: KeyOfPerson): Promise<void> {
    const id = idOf(key)
    const end = this.#untold.get(id)
    if (end === undefined) return
    await end()
    this.#untold.delete(id)
  }

  #forgetOld(): void {
    const { store, clock, logger } = this.#options
    const now = clock.now()
    if (now - this.#forgottenAt < HOUR_MS) return
    this.#forgottenAt = now
    store.forget(now - DAY_MS).catch((error: unknown) => {
      logger.warn({ err: error }, 'Old Idempotency-Keys could not be forgotten')
    })
  }
}

function idOf({ person, key }: KeyOfPerson): string {
  return `${Buffer.from(person).toString('hex')} ${key}`
}

function reused(): IdempotencyKeyReused {
  return new IdempotencyKeyReused('This Idempotency-Key was used for another request')
}

function running(): AlreadyRunning {
  return new AlreadyRunning('What was asked with this Idempotency-Key is being done now')
}

function isUnknownOutcome(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'outcome_unknown'
}
