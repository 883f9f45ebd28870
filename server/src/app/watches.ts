import type { Scope } from '../gateway/scope.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import type { ClusterWatch } from './cluster-watch.ts'

interface Held {
  readonly cluster: string
  readonly watch: ClusterWatch
  holders: number
  cancelEnd: () => void
}

/** How long a view is kept current after the last page that showed it has gone. */
const lingerMs = 5 * 60_000

/** The live views of a cluster, one for each authority, shared by all who have it. */
export class Watches {
  readonly #held = new Map<string, Held>()
  readonly #begin: (cluster: string, scope: Scope) => ClusterWatch
  readonly #clock: Clock

  constructor(begin: (cluster: string, scope: Scope) => ClusterWatch, clock: Clock) {
    this.#begin = begin
    this.#clock = clock
  }

  /** The view with this authority; begun if there is none, and kept for some minutes after it was last asked for. */
  get(cluster: string, scope: Scope): ClusterWatch {
    const { watch, release } = this.hold(cluster, scope)
    release()
    return watch
  }

  /** The same, kept until `release` is called. */
  hold(cluster: string, scope: Scope): { readonly watch: ClusterWatch; readonly release: () => void } {
    const key = `${cluster} ${scopeKey(scope)}`
    const held = this.#held.get(key) ?? this.#start(key, cluster, scope)
    held.watch.scope = scope
    held.cancelEnd()
    held.holders += 1
    let released = false
    const release = () => {
      if (released) return
      released = true
      held.holders -= 1
      if (held.holders === 0) held.cancelEnd = this.#clock.after(lingerMs, () => this.#end(key))
    }
    return { watch: held.watch, release }
  }

  /** Those that are kept now. */
  all(): readonly { readonly cluster: string; readonly watch: ClusterWatch }[] {
    return [...this.#held.values()]
  }

  stop(): void {
    for (const key of this.#held.keys()) this.#end(key)
  }

  #start(key: string, cluster: string, scope: Scope): Held {
    const watch = this.#begin(cluster, scope)
    watch.start()
    const held: Held = { cluster, watch, holders: 0, cancelEnd: () => {} }
    this.#held.set(key, held)
    return held
  }

  #end(key: string): void {
    const held = this.#held.get(key)
    held?.cancelEnd()
    held?.watch.stop()
    this.#held.delete(key)
  }
}
