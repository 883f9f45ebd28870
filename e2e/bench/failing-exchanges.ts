import type { StandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'

/** What happens to a request that is to fail, in turns: an answer that says no, a connection that breaks, and silence. */
const kinds = [503, 'reset', 'stall'] as const

type Cluster = Pick<StandInCluster, 'faultAt' | 'members'>

/**
 * Makes about that share of the exchanges at all members fail when the request has been received, drawn one by one; or
 * all of them, at each member in its own way.
 */
export class FailingExchanges {
  readonly #cluster: Cluster
  readonly #path: string
  readonly #share: number
  readonly #armed: ReturnType<StandInCluster['faultAt']>[] = []

  /** `share` is from 0 to 1; `path` is compared whole, without its query. */
  constructor(cluster: Cluster, { path, share }: { path: string; share: number }) {
    this.#cluster = cluster
    this.#path = path
    this.#share = share
    if (share >= 1) this.#failAll()
    else this.draw()
  }

  /** Decides about the next exchange, unless that is decided. To be called with each request. */
  draw(): void {
    const last = this.#armed.at(-1)
    if (this.#share >= 1 || (last !== undefined && last.fired === 0)) return
    if (Math.random() < this.#share) this.#arm({})
  }

  /** Lets all go well again; gives how many failed. */
  end(): number {
    for (const fault of this.#armed) fault.disarm()
    return this.#armed.reduce((sum, { fired }) => sum + fired, 0)
  }

  #failAll(): void {
    for (const member of this.#cluster.members) this.#arm({ member, times: Infinity })
  }

  #arm(where: { readonly member?: string; readonly times?: number }): void {
    const kind = kinds[this.#armed.length % kinds.length] ?? 503
    this.#armed.push(this.#cluster.faultAt({ path: this.#path, at: 'response', afterBytes: 0, kind, ...where }))
  }
}
