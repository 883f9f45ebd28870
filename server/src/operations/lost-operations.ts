import type { Operation } from '@malleus/shared/api/operations.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Sighting, UnknownMutation } from '../mutations/reconciler.ts'
import { Reconciler } from '../mutations/reconciler.ts'
import { withVerdict } from './operation-log.ts'

/** How one that was lost can be looked for, with the authority that missed it. Everything may reject. */
export interface Looking {
  /** Whether Incus knows it after all, or has told meanwhile how it ended. */
  isKnown(): Promise<boolean>
  /** Whether its object is now as it was to make it; null where nobody can tell from that. */
  isDone(): Promise<boolean | null>
  /** Hears, once, how it is at the end of the search. */
  settle(operation: Operation): void
}

/**
 * Looks for operations that were running and that Incus no longer knows: it is asked again, and the object that they
 * worked on is looked at, for a minute. What that shows is said; that nothing can be known is said too.
 */
export class LostOperations {
  readonly #reconciler: Reconciler
  readonly #looking = new Map<string, { readonly operation: Operation; readonly looking: Looking }>()
  readonly #clock: Clock

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock
    this.#reconciler = new Reconciler({
      witnesses: [
        { name: 'Incus', look: (mutation) => this.#askIncus(mutation) },
        { name: 'the object', look: (mutation) => this.#askObject(mutation) },
      ],
      publish: ({ object }, verdict) => {
        const found = this.#looking.get(object)
        this.#looking.delete(object)
        // Known again: how it is has been told by whoever found it.
        if (found === undefined || (verdict.kind === 'confirmed' && verdict.by === 'Incus')) return
        const outcome = verdict.kind === 'confirmed' ? 'done' : verdict.kind === 'not_applied' ? 'not-done' : null
        found.looking.settle(withVerdict(found.operation, outcome, this.#clock.now()))
      },
      clock,
      logger,
    })
  }

  /** Begins to look; one that is being looked for already is not looked for twice. */
  look(operation: Operation, looking: Looking): void {
    const { id } = operation
    if (this.#looking.has(id)) return
    this.#looking.set(id, { operation, looking })
    const sentAt = Date.parse(operation.createdAt)
    this.#reconciler.watch({ requestId: id, cluster: '', action: 'operation.read', object: id, sentAt })
  }

  stop(): void {
    this.#reconciler.stop()
  }

  async #askIncus({ object }: UnknownMutation): Promise<Sighting> {
    const isKnown = await this.#looking.get(object)?.looking.isKnown()
    return isKnown === true ? { kind: 'applied', operation: object } : { kind: 'not-applied' }
  }

  async #askObject({ object }: UnknownMutation): Promise<Sighting> {
    const isDone = (await this.#looking.get(object)?.looking.isDone()) ?? null
    if (isDone === null) return { kind: 'nothing' }
    return isDone ? { kind: 'applied', operation: object } : { kind: 'not-applied' }
  }
}
