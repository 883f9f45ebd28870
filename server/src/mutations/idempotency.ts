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
    const { store, clock, hmacKey } = this.#options
    const { iss, sub } = request.principal
    const key = { person: tagOf(hmacKey, 'idempotency', iss, sub), key: request.key }
    const wanted = Buffer.from(request.bodyHash)
    this.#forgetOld()
    const kept = await store.take(key, wanted, this.#owner, clock.now())
    if (kept === 'taken') return this.#do(key, work)
    if (!wanted.equals(kept.request))
      throw new IdempotencyKeyReused('This Idempotency-Key was used for another request')
    if (kept.state === 'running') throw new AlreadyRunning('What was asked with this Idempotency-Key is being done now')
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
      await this.#note(mayHaveHappened(error) ? store.leaveUnknown(key) : store.release(key))
      throw error
    }
    await this.#note(store.finish(key, JSON.stringify(reply)))
    return reply
  }

  /** It has been done, or not, whatever the database says now: the key stays taken, and the person gets their answer. */
  async #note(noting: Promise<void>): Promise<void> {
    await noting.catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'The end of a change could not be kept under its Idempotency-Key')
    })
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

function isUnknownOutcome(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'outcome_unknown'
}
