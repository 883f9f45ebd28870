// Incus keeps no name with a token, and has one end for all of them or none. Who made one is kept here, and a shorter end
// is kept by this console: it withdraws the token at its time, with its own identity, since the person who made it may
// have left by then.

import type { PendingToken } from '@malleus/shared/api/trust.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { z } from 'zod'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import type { Clock } from '../lib/clock.ts'
import { instant, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { GivenToken, GivenTokenStore } from './given-token-store.ts'

export interface GivenTokensOptions {
  readonly cluster: string
  readonly gateway: Pick<Gateway, 'read' | 'write'>
  readonly directory: { get(member: string): object | undefined }
  readonly store: GivenTokenStore
  readonly record: WithdrawalRecord
  readonly clock: Clock
  readonly logger: Logger
}

/** What the access history is told of a withdrawal. */
export interface WithdrawalRecord {
  /** Durable before it resolves; rejects where it cannot be written, and then nothing is withdrawn. */
  intent(token: GivenToken): Promise<void>
  outcome(token: GivenToken, outcome: WithdrawalOutcome): void
}

export type WithdrawalOutcome = 'withdrawn' | 'gone' | 'unknown' | 'failed'

/** For so long it is remembered who made a token that this console need not withdraw. */
const keptMs = 400 * 24 * 3_600_000

/** How long it is waited after a failure before the next try. */
const againMs = 5_000

export class GivenTokens {
  readonly #options: GivenTokensOptions
  readonly #tokens = new Map<string, GivenToken>()
  readonly #cancels = new Map<string, () => void>()
  readonly #stopped = new AbortController()

  constructor(options: GivenTokensOptions) {
    this.#options = options
  }

  /** Takes up what an earlier start knew; what came due meanwhile is withdrawn now. */
  async start(): Promise<void> {
    const { store, cluster, clock } = this.#options
    for (const token of await store.all(cluster)) {
      const isOld = token.withdrawAt === null && clock.now() - token.madeAt > keptMs
      if (isOld) await store.forget(cluster, token.operation)
      else this.#take(token)
    }
  }

  stop(): void {
    this.#stopped.abort()
    for (const cancel of this.#cancels.values()) cancel()
  }

  /** Keeps who made it, and promises to withdraw it where that was asked for; durably when this resolves. */
  async keep(token: GivenToken): Promise<void> {
    await this.#options.store.keep(token)
    this.#take(token)
  }

  /** What is known of a pending one; nothing where it was made elsewhere. */
  of(operation: string): Pick<PendingToken, 'madeBy' | 'withdrawnAt'> {
    const token = this.#tokens.get(operation)
    if (token === undefined) return { madeBy: null, withdrawnAt: null }
    const { madeBy, withdrawAt } = token
    return {
      madeBy: { name: madeBy, here: true },
      withdrawnAt: withdrawAt === null ? null : instant(withdrawAt),
    }
  }

  /** It was withdrawn by somebody, or used: there is nothing left to do. */
  async forget(operation: string): Promise<void> {
    this.#cancels.get(operation)?.()
    this.#cancels.delete(operation)
    if (!this.#tokens.delete(operation)) return
    await this.#options.store.forget(this.#options.cluster, operation)
  }

  #take(token: GivenToken): void {
    this.#tokens.set(token.operation, token)
    if (token.withdrawAt !== null) this.#await(token, token.withdrawAt)
  }

  #await(token: GivenToken, withdrawAt: number): void {
    const { clock } = this.#options
    // Timers count in 32 bits: a promise of more than that is looked at again on the way.
    const wait = Math.min(Math.max(0, withdrawAt - clock.now()), 24 * 3_600_000)
    const due = () => (clock.now() < withdrawAt ? this.#await(token, withdrawAt) : void this.#withdraw(token))
    this.#cancels.set(token.operation, clock.after(wait, due))
  }

  async #withdraw(token: GivenToken): Promise<void> {
    const { clock, logger, cluster } = this.#options
    const { signal } = this.#stopped
    while (!signal.aborted && this.#tokens.has(token.operation)) {
      try {
        if (await this.#attempt(token)) {
          await this.forget(token.operation)
          return
        }
      } catch (error) {
        logger.warn({ err: error, cluster, token: token.name }, 'a token was not withdrawn yet')
      }
      await sleep(clock, againMs, signal)
    }
  }

  /** Whether it is no more. What was sent without an answer is looked at, and not sent again before that is known. */
  async #attempt(token: GivenToken): Promise<boolean> {
    const { record, gateway } = this.#options
    // It was used, or its server was restarted.
    if (!(await this.#isPending(token))) return true
    await record.intent(token)
    try {
      await gateway.write({
        scope: { kind: 'console' },
        target: this.#where(token),
        method: 'DELETE',
        path: pathOf(token),
        parse: z.unknown(),
      })
      record.outcome(token, 'withdrawn')
      return true
    } catch (error) {
      const isOver = isGone(error)
      record.outcome(token, isOver ? 'gone' : error instanceof OutcomeUnknown ? 'unknown' : 'failed')
      if (isOver) return true
      throw error
    }
  }

  async #isPending(token: GivenToken): Promise<boolean> {
    try {
      const { value } = await this.#options.gateway.read({
        class: 'read',
        scope: { kind: 'console' },
        target: this.#where(token),
        path: pathOf(token),
        parse: IncusOperation,
      })
      return value.status_code < 200
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
  }

  /** Any other would pass it on to where the token is, and wait for that one. */
  #where({ member }: GivenToken) {
    const isKnown = member !== null && this.#options.directory.get(member) !== undefined
    return isKnown ? ({ kind: 'member', name: member } as const) : ({ kind: 'any' } as const)
  }
}

function pathOf({ operation }: GivenToken): string {
  return `/operations/${encodeURIComponent(operation)}`
}

function isGone(error: unknown): boolean {
  return error instanceof MemberError && error.kind === 'incus' && error.status === 404
}
