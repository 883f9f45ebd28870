import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

/** A change that was sent and not answered. */
export interface UnknownMutation {
  readonly requestId: string
  readonly cluster: string
  /** As policy and history name it, e.g. `member.evacuate`. */
  readonly action: string
  /** What it was done to, e.g. `server3`. */
  readonly object: string
  /** Milliseconds since 1970. */
  readonly sentAt: number
  /** What was asked for, where that is needed to see whether it is so. */
  readonly body?: unknown
}

/**
 * What a witness saw. `applied`: it was done, or is being done. `not-applied`: it was not, and cannot be any more.
 * `nothing`: neither can be said.
 */
export type Sighting =
  | { readonly kind: 'applied'; readonly operation: string | null }
  | { readonly kind: 'not-applied' }
  | { readonly kind: 'nothing' }

/** Somewhere to look: the operations of the cluster, its events, the object itself. Throws when it cannot look. */
export interface Witness {
  readonly name: string
  look(mutation: UnknownMutation, signal: AbortSignal): Promise<Sighting>
}

export type Verdict =
  | { readonly kind: 'confirmed'; readonly by: string; readonly operation: string | null }
  | { readonly kind: 'not_applied' }
  | { readonly kind: 'unknown' }

export interface ReconcilerOptions {
  readonly witnesses: readonly Witness[]
  readonly publish: (mutation: UnknownMutation, verdict: Verdict) => void
  readonly clock: Clock
  readonly logger: Logger
  /** Between two looks. Default 2 s. */
  readonly everyMs?: number
  /** How long it is looked for. Default 60 s. */
  readonly forMs?: number
}

/**
 * Finds out what became of changes whose answer was lost, and never makes them again. One sighting of it is enough to
 * confirm it; that it was not done is only said when, at the end, every witness says so.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #stopped = new AbortController()

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Begins to look; the verdict is published, once. */
  watch(mutation: UnknownMutation): void {
    this.#find(mutation).then(
      (verdict) => {
        if (!this.#stopped.signal.aborted) this.#options.publish(mutation, verdict)
      },
      (error: unknown) => this.#options.logger.error({ err: error, mutation }, 'A verdict could not be published'),
    )
  }

  /** Gives up on all that is being looked for, without a verdict. */
  stop(): void {
    this.#stopped.abort()
  }

  async #find(mutation: UnknownMutation): Promise<Verdict> {
    const { clock, everyMs = 2000, forMs = 60_000 } = this.#options
    const end = clock.monotonic() + forMs
    for (;;) {
      const seen = await this.#lookEverywhere(mutation)
      const applied = seen.find(({ sighting }) => sighting.kind === 'applied')
      if (applied?.sighting.kind === 'applied') {
        return { kind: 'confirmed', by: applied.name, operation: applied.sighting.operation }
      }
      const left = end - clock.monotonic()
      if (left <= 0 || this.#stopped.signal.aborted) return lastWord(seen.map(({ sighting }) => sighting))
      await sleep(clock, Math.min(everyMs, left), this.#stopped.signal)
    }
  }

  #lookEverywhere(mutation: UnknownMutation): Promise<readonly { name: string; sighting: Sighting }[]> {
    return Promise.all(
      this.#options.witnesses.map(async (witness) => {
        const sighting = await witness.look(mutation, this.#stopped.signal).catch((error: unknown): Sighting => {
          this.#options.logger.debug({ err: error, witness: witness.name }, 'A witness could not look')
          return { kind: 'nothing' }
        })
        return { name: witness.name, sighting }
      }),
    )
  }
}

function lastWord(sightings: readonly Sighting[]): Verdict {
  const all = sightings.length > 0 && sightings.every(({ kind }) => kind === 'not-applied')
  return { kind: all ? 'not_applied' : 'unknown' }
}
