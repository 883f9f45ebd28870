import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { WriteBehind } from '../lib/write-behind.ts'
import type { AccessLine } from './access-line.ts'
import type { IdentityUse, IdentityUseStore } from './identity-use-store.ts'

export interface IdentityUsesOptions {
  readonly cluster: string
  readonly store: IdentityUseStore
  readonly clock: Clock
  readonly logger: Logger
}

/** When each identity was last used in one cluster, from where and by which member, as its request log says. */
export class IdentityUses {
  readonly #options: IdentityUsesOptions
  readonly #uses = new Map<string, IdentityUse>()
  readonly #writes: WriteBehind<IdentityUse>
  #cancelTick = (): void => {}

  constructor(options: IdentityUsesOptions) {
    const { cluster, store, logger } = options
    this.#options = options
    this.#writes = new WriteBehind({
      keyOf: (use) => keyOf(use),
      write: (uses) => store.write(cluster, uses),
      most: mostKept,
      logger,
      what: 'when identities were last used',
    })
  }

  /** Reads what is known from before. Never rejects. */
  async start(): Promise<void> {
    const { store, cluster, logger } = this.#options
    try {
      for (const use of await store.read(cluster)) {
        if ((this.#uses.get(keyOf(use))?.at ?? 0) < use.at) this.#uses.set(keyOf(use), use)
      }
    } catch (error) {
      logger.warn({ err: error }, 'when identities were last used could not be read')
    }
    this.#planTick()
  }

  async stop(): Promise<void> {
    this.#cancelTick()
    await this.#writes.flush()
  }

  /** Somebody asked for something; a line in which nobody is known counts for nobody. */
  saw({ kind, user, at, address, member }: Pick<AccessLine, 'kind' | 'user' | 'at' | 'address' | 'member'>): void {
    if (kind !== 'handled' || user === null) return
    const use: IdentityUse = { protocol: user.protocol, identity: user.name, at, address, member }
    const key = keyOf(use)
    const before = this.#uses.get(key)
    if (before !== undefined && before.at >= at) return
    // Anybody with a sign-in at the provider can have a name here, so names have an end.
    if (before === undefined && this.#uses.size >= mostKept) return
    this.#uses.set(key, use)
    this.#writes.put(use)
  }

  /** The last use of an identity; null when none is known. */
  of(protocol: IdentityUse['protocol'], identity: string): IdentityUse | null {
    return this.#uses.get(keyOf({ protocol, identity })) ?? null
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(tickMs, () => {
      this.#planTick()
      void this.#writes.flush()
    })
  }
}

function keyOf({ protocol, identity }: Pick<IdentityUse, 'protocol' | 'identity'>): string {
  return `${protocol} ${identity}`
}

const tickMs = 10_000
const mostKept = 20_000
