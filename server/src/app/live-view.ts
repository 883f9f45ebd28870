import type { Scope } from '../gateway/scope.ts'
import { wordsWithoutAddresses } from '../lib/without-addresses.ts'
import type { LiveView } from '../live/live-hub.ts'
import type { Policy } from '../policy/policy.ts'
import type { Principal } from '../session/principal.ts'
import { administers } from './discreet.ts'
import type { Watches } from './watches.ts'

/** Somebody who follows what happens, with their authority towards each cluster. */
export interface Follower {
  readonly principal: Principal
  readonly scope: (cluster: string) => Promise<Scope>
}

/** What a person may follow, and with whose ears. */
export function liveViewOf(
  { policy, watches }: { readonly policy: Policy; readonly watches: Watches },
  { principal, scope }: Follower,
): LiveView {
  const { clusters, history, key } = liveRightsOf(policy, principal)
  const administered = new Set(clusters.filter((cluster) => administers(policy, principal, cluster)))
  return {
    key,
    clusters,
    seesAudit: (cluster) => (cluster === null ? history.length === policy.clusters.length : history.includes(cluster)),
    worded: (event) =>
      'cluster' in event && event.cluster !== null && administered.has(event.cluster)
        ? event
        : wordsWithoutAddresses(event),
    watch: (publish) => {
      const stopped = new AbortController()
      for (const cluster of clusters) {
        void scope(cluster).then((authority) => {
          if (stopped.signal.aborted) return
          const { watch, release } = watches.hold(cluster, authority)
          const unsubscribe = watch.subscribe(publish)
          stopped.signal.addEventListener('abort', () => {
            unsubscribe()
            release()
          })
        })
      }
      return { stop: () => stopped.abort() }
    },
  }
}

interface LiveRights {
  /** Clusters of which the person may follow what happens. */
  readonly clusters: readonly string[]
  /** Clusters whose access history the person may read. */
  readonly history: readonly string[]
  /** The same for the same person with the same rights, in whichever session. */
  readonly key: string
}

export function liveRightsOf(policy: Policy, principal: Principal): LiveRights {
  const clusters = policy.clustersWhere(principal, 'live.read')
  const history = policy.clustersWhere(principal, 'audit.read')
  // What is heard of a cluster depends on the projects too, where the console and not Incus keeps them apart.
  const reach = clusters.map((cluster) => [policy.rolesOf(principal, cluster), policy.projectsOf(principal, cluster)])
  return { clusters, history, key: JSON.stringify([principal.iss, principal.sub, clusters, reach, history]) }
}
