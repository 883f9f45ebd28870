import type { IncusServer } from '@malleus/shared/incus/server.ts'
import { IncusServer as Server } from '@malleus/shared/incus/server.ts'
import { LRUCache } from 'lru-cache'
import type { Gateway } from '../gateway/gateway.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { soon } from '../lists/patience.ts'
import type { Readings } from './readings.ts'
import type { Asker } from './reported-by-cluster.ts'

const KEPT_MS = 60_000

export interface ServerFactsOptions {
  readonly gateway: Pick<Gateway, 'read'>
  readonly readings: Readings
  readonly clock: Clock
}

/**
 * What Incus on this cluster says of itself: what the console read, or where it has no identity, what the person may
 * read. Known for a minute, and never waited for longer than a quarter of a second.
 */
export class ServerFacts {
  readonly #options: ServerFactsOptions
  readonly #read = new LRUCache<string, { readonly server: IncusServer; readonly at: number }>({ max: 1_000 })

  constructor(options: ServerFactsOptions) {
    this.#options = options
  }

  /** Null while it is not known. Never rejects. */
  async of(asker: Asker): Promise<IncusServer | null> {
    const { readings, clock } = this.#options
    if (readings.anyServer.value !== null) return readings.anyServer.value
    const known = this.#read.get(scopeKey(asker.scope))
    if (known !== undefined && clock.monotonic() - known.at < KEPT_MS) return known.server
    return (await soon(clock, this.#ask(asker))) ?? known?.server ?? null
  }

  async #ask(asker: Asker): Promise<IncusServer | null> {
    const { gateway, clock } = this.#options
    try {
      const { value } = await gateway.read({ class: 'read', ...asker, path: '', parse: Server })
      this.#read.set(scopeKey(asker.scope), { server: value, at: clock.monotonic() })
      return value
    } catch {
      return null
    }
  }
}
