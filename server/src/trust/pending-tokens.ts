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
import { soon } from '../lists/patience.ts'
import { pendingToken } from './trust-token.ts'

export interface PendingTokensOptions {
  readonly gateway: Pick<Gateway, 'read'>
  /** Who made it and when this console withdraws it, by its operation. */
  readonly known: (operation: string) => Pick<PendingToken, 'madeBy' | 'withdrawnAt'>
  readonly clock: Clock
}

export interface TokensView {
  readonly tokens: readonly PendingToken[]
  readonly freshness: Freshness
}

/** Of all that Incus says of an operation, without its secret. */
type KnownToken = Omit<PendingToken, 'madeBy' | 'withdrawnAt'>

const nobody = { madeBy: null, withdrawnAt: null } as const
const patienceMs = 1_500
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
  async view(scope: Scope): Promise<TokensView> {
    const { clock, known } = this.#options
    this.#reading ??= this.#read(scope).finally(() => (this.#reading = null))
    const isRead = await soon(
      clock,
      this.#reading.then(() => true),
      patienceMs,
    )
    const tokens = this.#known.map((token): PendingToken => ({ ...token, ...known(token.id) }))
    const late = isRead === null ? 'A server hangs, and Incus waits for it before it lists tokens.' : null
    return { tokens, freshness: freshnessOf(this.#readAt, late ?? this.#failure) }
  }

  /** One was made; the next list has it too. */
  made(operation: IncusOperation): void {
    const token = pendingToken(operation, nobody)
    if (token !== null) this.#known = [...this.#known.filter(({ id }) => id !== token.id), token]
  }

  /** One is no more. */
  gone(operation: string): void {
    this.#known = this.#known.filter(({ id }) => id !== operation)
  }

  async #read(scope: Scope): Promise<void> {
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
      this.#known = value.flatMap((operation) => pendingToken(operation, nobody) ?? [])
      this.#readAt = clock.now()
      this.#failure = null
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error)
    }
  }
}

function freshnessOf(readAt: number | null, reason: string | null): Freshness {
  if (readAt === null) return { kind: 'unavailable', reason: reason ?? 'They were not read yet.' }
  const asOf = instant(readAt)
  return reason === null ? { kind: 'fresh', asOf } : { kind: 'stale', asOf, reason }
}
