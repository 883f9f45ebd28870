import type { IncusMember } from '@malleus/shared/incus/member.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { KeptMembers, KeptMembersStore } from './kept-members-store.ts'

export interface MembersKeeperOptions {
  readonly store: KeptMembersStore
  readonly cluster: string
  /** How the cluster is trusted by the configuration: what another cluster said under this name is not taken for its word. */
  readonly trusted: string
  readonly clock: Clock
  readonly logger: Logger
}

/** How old what is kept may become while nothing changes. */
const everyMs = 60_000

/**
 * Writes down what the cluster says of its members, so that a console that is started while the cluster database does
 * not answer knows whom to ask, and who held the database. Nothing depends on it: what cannot be kept is logged.
 */
export class MembersKeeper {
  readonly #options: MembersKeeperOptions
  #written: { readonly text: string; readonly at: number } | null = null

  constructor(options: MembersKeeperOptions) {
    this.#options = options
  }

  /** What was kept; null where there is nothing, or it cannot be read. */
  async read(): Promise<KeptMembers | null> {
    const { store, cluster, trusted, logger } = this.#options
    try {
      return await store.read(cluster, trusted)
    } catch (error) {
      logger.warn({ err: error, cluster }, 'the members that were kept cannot be read')
      return null
    }
  }

  /** Takes in what was said now. Never rejects, and nobody has to wait. */
  async note(members: readonly IncusMember[]): Promise<void> {
    const { store, cluster, trusted, clock, logger } = this.#options
    const at = clock.now()
    const text = JSON.stringify(members.map((member) => ({ ...member, message: '' })))
    if (this.#written?.text === text && at - this.#written.at < everyMs) return
    this.#written = { text, at }
    try {
      await store.write(cluster, trusted, { members, at })
    } catch (error) {
      this.#written = null
      logger.warn({ err: error, cluster }, 'the list of members cannot be kept')
    }
  }
}
