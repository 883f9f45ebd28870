import { accessPathRoutes } from '../access-paths/routes.ts'
import { acmeRoutes } from '../acme/routes.ts'
import { alertRoutes } from '../alerts/routes.ts'
import type { CertificateAlerts } from '../alerts/certificate-alerts.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import { exportRoutes } from '../audit/export-routes.ts'
import { auditRoutes } from '../audit/routes.ts'
import type { VisibleHistory } from '../audit/routes.ts'
import { actorOf, auditEntry, requestOf } from '../audit/record.ts'
import type { AuditEntry } from '../audit/record.ts'
import { certificateRoutes } from '../certificates/routes.ts'
import { clusterRoutes } from '../clusters/routes.ts'
import type { DownloadTickets } from '../downloads/download-tickets.ts'
import { eventRoutes } from '../events/routes.ts'
import { frontRoutes } from '../fronts/routes.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { incidentRoutes } from '../incidents/routes.ts'
import type { ClusterIngest } from '../ingest/cluster-ingest.ts'
import { ingestRoutes } from '../ingest/routes.ts'
import { instanceRoutes } from '../instances/routes.ts'
import type { Clock } from '../lib/clock.ts'
import { memberRoutes } from '../members/routes.ts'
import { operationRoutes } from '../operations/routes.ts'
import type { Starters } from '../operations/starters.ts'
import type { Policy } from '../policy/policy.ts'
import { sessionListRoutes } from '../session/session-list-routes.ts'
import { sessionRoutes } from '../session/routes.ts'
import { trustRoutes } from '../trust/routes.ts'
import type { AllAcme } from './cluster-acme.ts'
import type { AllPaths } from './cluster-paths.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import { usesOf } from './cluster-trust.ts'
import { discreet } from './discreet.ts'
import type { Follower } from './live-view.ts'
import type { SignIn } from './sign-in.ts'
import type { Storage } from './storage.ts'
import type { Watches } from './watches.ts'

export interface RouteParts {
  readonly policy: Policy
  readonly signIn: SignIn
  readonly storage: Storage
  readonly rooms: (cluster: string) => ClusterRooms
  readonly watches: Watches
  readonly starters: Starters<AuditEntry>
  readonly downloads: DownloadTickets
  readonly clock: Clock
  readonly alerts: CertificateAlerts
  readonly paths: Pick<AllPaths, 'of'>
  readonly acme: Pick<AllAcme, 'of'>
  readonly ingest: (cluster: string) => ClusterIngest
  /** Where the live stream of who asks stands; null where there is none. */
  readonly livePosition: (follower: Follower) => string | null
}

/** The route table: everything the console answers, beside the live stream and the pages of signing in. */
export function createRoutes(parts: RouteParts): readonly Route[] {
  const { policy, signIn, storage, rooms, watches } = parts
  const watchOf = async (context: RequestContext, cluster: string) => watches.get(cluster, await context.scope(cluster))
  const told = (rows: readonly Route[]) => discreet(rows, policy)
  return [
    ...sessionRoutes({
      sessions: signIn.sessions,
      permissionsOf: (person) => policy.permissions(person),
      livePosition: (context) =>
        parts.livePosition({ principal: context.principal, scope: (cluster) => context.scope(cluster) }),
    }),
    ...sessionListRoutes({ list: signIn.list }),
    ...told(
      clusterRoutes({
        visible: ({ principal }) => policy.visibleClusters(principal),
        showsMembers: ({ principal }, cluster) => policy.may(principal, 'member.list', { cluster }).allow,
        now: (cluster) => rooms(cluster).now(),
        figures: (cluster) => rooms(cluster).parts.figures.view(),
      }),
    ),
    ...told(
      memberRoutes((cluster) => ({
        members: rooms(cluster).members,
        gateway: rooms(cluster).parts.cluster.gateway,
        history: rooms(cluster).healthHistory,
        records: rooms(cluster).records,
        begun: async (operation, context, change) => {
          const entry = noteBegun(parts.starters, cluster, operation.id, context, change)
          return (await watchOf(context, cluster)).operations.began(operation, entry)
        },
      })),
    ),
    ...told(
      certificateRoutes((cluster) => ({
        ...rooms(cluster).certificates,
        facts: () => rooms(cluster).certificateFacts(),
        follower: rooms(cluster).parts.follower,
        trust: rooms(cluster).parts.cluster.trust,
      })),
    ),
    ...told(
      acmeRoutes((cluster) => ({
        acme: parts.acme.of(cluster),
        begun: ({ principal, requestId }, what, object) => {
          const req = requestOf({ id: requestId, method: '', route: '', path: '' })
          return auditEntry({ action: `acme.${what}`, cluster, object, actor: actorOf(principal), req })
        },
      })),
    ),
    ...told(
      trustRoutes(
        (cluster) => ({ ...rooms(cluster).trust.ports, uses: usesOf(parts.ingest(cluster)) }),
        ({ principal }, cluster) => policy.may(principal, 'audit.read', { cluster }).allow,
      ),
    ),
    ...told(
      operationRoutes(async (context, cluster) => ({
        ...rooms(cluster).parts.cluster,
        operations: (await watchOf(context, cluster)).operations,
      })),
    ),
    ...instanceRoutes(async (context, cluster) => (await watchOf(context, cluster)).instances),
    ...eventRoutes(async (context, cluster) => ({
      events: (await watchOf(context, cluster)).events,
      seesWho: policy.may(context.principal, 'audit.read', { cluster }).allow,
    })),
    ...told(incidentRoutes((cluster) => rooms(cluster).records.incidents)),
    ...told(accessPathRoutes((cluster) => parts.paths.of(cluster))),
    ...frontRoutes((cluster) => rooms(cluster).parts.cluster.directory),
    ...alertRoutes({
      alerts: parts.alerts,
      sees: ({ principal }, cluster) =>
        cluster === null || policy.may(principal, 'certificate.read', { cluster }).allow,
      mayTest: ({ principal }) => policy.may(principal, 'alert.test').allow,
    }),
    ...exportRoutes({
      search: storage.search,
      history: storage.history,
      signing: storage.keys.signing,
      clock: parts.clock,
      visibleTo: (person) => visibleHistory(policy, person, 'audit.export'),
      give: (session, file, livesMs) => parts.downloads.give(session, file, livesMs),
    }),
    ...told(ingestRoutes(parts.ingest)),
    ...auditRoutes({
      search: storage.search,
      records: storage.records,
      verification: storage.verification,
      visibleTo: (person) => visibleHistory(policy, person, 'audit.read'),
    }),
  ]
}

/** What belongs to no cluster, such as a sign-in, is for those who may do it with the history of all. */
function visibleHistory(policy: Policy, person: RequestContext['principal'], action: Action): VisibleHistory {
  const clusters = policy.clustersWhere(person, action)
  return { clusters, withoutCluster: clusters.length === policy.clusters.length }
}

function noteBegun(
  starters: Starters<AuditEntry>,
  cluster: string,
  operation: string,
  { principal, requestId }: RequestContext,
  { action, member }: { readonly action: AuditEntry['action']; readonly member: string },
): AuditEntry {
  const req = requestOf({ id: requestId, method: 'POST', route: '', path: '' })
  const entry = auditEntry({ action, cluster, object: member, actor: actorOf(principal), req })
  starters.note(operation, { name: principal.name, entry })
  return entry
}
