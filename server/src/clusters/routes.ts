import { getFigures, listClusters } from '@malleus/shared/api/clusters.ts'
import type { ClusterFigures } from '@malleus/shared/api/clusters.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { ClusterNow } from './clusters-view.ts'
import { clusterSummary, withoutServers } from './clusters-view.ts'

export interface ClusterRooms {
  /** Names of the clusters that the person may see, in the order of the configuration. */
  readonly visible: (context: RequestContext) => readonly string[]
  /** Whether the person may see the servers of a cluster. */
  readonly showsMembers: (context: RequestContext, cluster: string) => boolean
  readonly now: (cluster: string) => ClusterNow
  readonly figures: (cluster: string) => ClusterFigures
}

export function clusterRoutes({ visible, showsMembers, now, figures }: ClusterRooms): Route[] {
  return [
    route({
      endpoint: listClusters,
      action: 'cluster.list',
      class: 'read',
      object: () => null,
      handler: (context) => {
        const clusters = visible(context).map((name) => {
          const summary = clusterSummary(now(name))
          return showsMembers(context, name) ? summary : withoutServers(summary)
        })
        return Promise.resolve({ clusters })
      },
    }),
    route({
      endpoint: getFigures,
      // Tells of the servers, which those who only read the history do not see.
      action: 'member.list',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: (_context, { params }) => Promise.resolve(figures(params.cluster)),
    }),
  ]
}
