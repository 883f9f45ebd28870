// The tokens that one authority may see. Incus makes the list by asking every member in turn, and waits for one that
// hangs (incus `cmd/incusd/operations.go`, `operationsGet`), so a person gets what is known while it comes.

import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { PendingToken } from '@malleus/shared/api/trust.ts'
import { IncusOperationMap } from '@malleus/shared/incus/operation.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import { PATIENCE_MS, soon } from '../lists/patience.ts'
import { pendingToken } from './trust-token.ts'

export interface PendingTokensOptions {
  readonly gateway: Pick<Gateway, 'read'>
  /** Who made it and when this console withdraws it, by its operation. */
  readonly known: (operation: string) => Pick<PendingToken, 'madeBy' | 'withdrawnAt'>
  /** Why nobody tells anything now, as a sentence; null while there is no such reason. Nobody waits then. */
  readonly loss: () => string | null
  readonly clock: Clock
}

export interface TokensView {
  readonly tokens: readonly PendingToken[]
  readonly freshness: Freshness
}

/** Of all that Incus says of an operation, without its secret. */
type KnownToken = Omit<PendingToken, 'madeBy' | 'withdrawnAt'>

const nobody = { madeBy: null, withdrawnAt: null } as const
const deadlineMs = 35_000

export class PendingTokens {
  readonly #options: PendingTokensOptions
  #known: readonly KnownToken[] = []
  #readAt: number | null = null
  #failure: string | null = null
  #reading: Promise<void> | null = null

  constructor(options: PendingTokensOptions) {
    this.#options = options
  }

  /** What is known after a moment's wait; never rejects. */
  async view(scope: Scope, patienceMs = PATIENCE_MS): Promise<TokensView> {
    const { clock, known, loss } = this.#options
    const isRead = await soon(
      clock,
      this.#readOnce(scope).then(() => true),
      loss() === null ? patienceMs : 0,
    )
    const tokens = this.#known.map((token): PendingToken => ({ ...token, ...known(token.id) }))
    const late = isRead === null ? 'A server hangs, and Incus waits for it before it lists tokens.' : null
    return { tokens, freshness: freshnessOf(this.#readAt, loss() ?? late ?? this.#failure) }
  }

  /** One was made; the next list has it too. */
  made(operation: IncusOperation): void {
    const token = pendingToken(operation, nobody)
    if (token !== null) this.#change([...this.#known.filter(({ id }) => id !== token.id), token])
  }

  /** One is no more. */
  gone(operation: string): void {
    this.#change(this.#known.filter(({ id }) => id !== operation))
  }

  /** A list that was asked for before does not have it. */
  #change(known: readonly KnownToken[]): void {
    this.#known = known
    this.#reading = null
  }

  #readOnce(scope: Scope): Promise<void> {
    if (this.#reading !== null) return this.#reading
    const reading: Promise<void> = this.#read(scope, () => this.#reading === reading).finally(() => {
      if (this.#reading === reading) this.#reading = null
    })
    this.#reading = reading
    return reading
  }

  async #read(scope: Scope, isWanted: () => boolean): Promise<void> {
    const { gateway, clock } = this.#options
    try {
      const { value } = await gateway.read({
        class: 'list',
        scope,
        target: { kind: 'any' },
        path: '/operations',
        // Tokens belong to no project, and those are in the list of every one.
        query: { recursion: '1' },
        parse: IncusOperationMap,
        deadlineMs,
      })
      if (!isWanted()) return
      this.#known = value.flatMap((operation) => pendingToken(operation, nobody) ?? [])
      this.#readAt = clock.now()
      this.#failure = null
    } catch (error) {
      if (isWanted()) this.#failure = error instanceof Error ? error.message : String(error)
    }
  }
}

function freshnessOf(readAt: number | null, reason: string | null): Freshness {
  if (readAt === null) return { kind: 'unavailable', reason: reason ?? 'They were not read yet.' }
  const asOf = instant(readAt)
  return reason === null ? { kind: 'fresh', asOf } : { kind: 'stale', asOf, reason }
}
