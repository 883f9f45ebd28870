import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'
import { z } from 'zod'
import { ApiError } from '../api/api-error.ts'
import { clusterListQuery, figuresQuery } from '../api/clusters.ts'
import { healthHistoryQuery, memberListQuery, memberQuery } from '../api/members.ts'
import { operationListQuery } from '../api/operations.ts'
import { queryClient } from '../api/query-client.ts'
import { maySee, sessionQuery } from '../api/session.ts'
import { MembersPage } from '../features/members/MembersPage.tsx'
import { OverviewPage } from '../features/overview/OverviewPage.tsx'
import { currentPath, signInPath } from '../lib/paths.ts'
import { SignInProblem, StepUpProblem } from '@malleus/shared/api/session.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import { parseTarget } from '@malleus/shared/domain/target.ts'
import { AppShell } from './AppShell.tsx'
import { ErrorPage } from './ErrorPage.tsx'
import { NotFoundPage } from './NotFoundPage.tsx'
import { PageSkeleton } from './PageSkeleton.tsx'
import { Root } from './Root.tsx'

const text = z.string().optional().catch(undefined)

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFoundPage,
})

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: ({ location }) => signedIn(location.href),
  loader: async () => {
    const { clusters } = await queryClient.query({ ...clusterListQuery, staleTime: 'static' })
    const [first] = clusters
    if (first !== undefined)
      throw redirect({ to: '/clusters/$cluster', params: { cluster: first.name }, replace: true })
  },
  component: lazyRouteComponent(() => import('./NoClusterPage.tsx'), 'NoClusterPage'),
})

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: signInPath,
  validateSearch: z.object({ returnTo: text, problem: SignInProblem.optional().catch(undefined) }),
  component: lazyRouteComponent(() => import('../features/sign-in/SignInPage.tsx'), 'SignInPage'),
})

const provedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/proved',
  validateSearch: z.object({ of: text, problem: StepUpProblem.optional().catch(undefined) }),
  component: lazyRouteComponent(() => import('../features/sign-in/ProvedPage.tsx'), 'ProvedPage'),
})

/** Everything about one cluster. The target stays in every link below it. */
const clusterRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/clusters/$cluster',
  validateSearch: z.object({ target: text }),
  search: { middlewares: [retainSearchParams(['target'])] },
  beforeLoad: ({ location }) => signedIn(location.href),
  loader: async ({ params: { cluster } }) => {
    void seen(cluster, 'operation.list', () => queryClient.query(operationListQuery(cluster)))
    const { clusters } = await queryClient.query({ ...clusterListQuery, staleTime: 'static' })
    if (!clusters.some(({ name }) => name === cluster)) throw notFound()
  },
  component: AppShell,
})

const overviewRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/',
  loader: async ({ params: { cluster } }) => {
    void seen(cluster, 'member.list', () => queryClient.query(figuresQuery(cluster)))
    void latestAudit(cluster)
    await memberList(cluster)
  },
  component: OverviewPage,
})

const membersRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/members',
  validateSearch: z.object({ sort: text, q: text, show: z.enum(['attention']).optional().catch(undefined) }),
  loader: ({ params: { cluster } }) => memberList(cluster),
  component: MembersPage,
})

const memberRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/members/$member',
  loaderDeps: ({ search: { target } }) => ({ target }),
  loader: async ({ params: { cluster, member }, deps }) => {
    const target = parseTarget(deps.target)
    void seen(cluster, 'member.read', () => queryClient.query(memberQuery(cluster, member, target)))
    void latestAudit(cluster, member)
    // The detail may take its time; what the list knows is shown at once.
    await memberList(cluster)
  },
  component: lazyRouteComponent(() => import('../features/members/MemberPage.tsx'), 'MemberPage'),
})

const memberHealthRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/members/$member/health',
  validateSearch: z.object({ range: z.enum(['1h', '24h', '7d', '30d']).optional().catch(undefined) }),
  loaderDeps: ({ search: { range } }) => ({ range }),
  loader: async ({ params: { cluster, member }, deps: { range = '24h' } }) => {
    const { memberHealthQuery } = await import('../api/member-health.ts')
    void seen(cluster, 'member.read', () => queryClient.query(memberHealthQuery(cluster, member, range)))
    await memberList(cluster)
  },
  component: lazyRouteComponent(() => import('../features/members/MemberHealthPage.tsx'), 'MemberHealthPage'),
})

const incidentsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/incidents',
  validateSearch: z.object({ member: text, doubts: z.boolean().optional().catch(undefined) }),
  component: lazyRouteComponent(() => import('../features/incidents/IncidentsPage.tsx'), 'IncidentsPage'),
})

const incidentRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/incidents/$incident',
  loader: async ({ params: { cluster, incident } }) => {
    const { incidentQuery } = await import('../api/incidents.ts')
    await seen(cluster, 'incident.list', () => queryClient.query(incidentQuery(cluster, incident)))
  },
  component: lazyRouteComponent(() => import('../features/incidents/IncidentPage.tsx'), 'IncidentPage'),
})

const certificatesRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/certificates',
  loaderDeps: ({ search: { target } }) => ({ target }),
  loader: async ({ params: { cluster }, deps }) => {
    const { certificateQuery } = await import('../api/certificate.ts')
    const target = parseTarget(deps.target)
    await seen(cluster, 'certificate.read', () => queryClient.query(certificateQuery(cluster, target)))
  },
  component: lazyRouteComponent(() => import('../features/certificates/CertificatesPage.tsx'), 'CertificatesPage'),
})

const replaceCertificateRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/certificates/replace',
  loader: async ({ params: { cluster } }) => {
    const { replacementQuery } = await import('../api/certificate-replacement.ts')
    await seen(cluster, 'certificate.check', () => queryClient.query(replacementQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/certificates/ReplacePage.tsx'), 'ReplacePage'),
})

const trustRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/trust',
  validateSearch: z.object({
    sort: text,
    q: text,
    kind: z.enum(['client', 'metrics', 'server', 'restricted', 'attention']).optional().catch(undefined),
    entry: text,
  }),
  loaderDeps: ({ search: { target } }) => ({ target }),
  loader: async ({ params: { cluster }, deps }) => {
    const { trustQuery } = await import('../api/trust.ts')
    const target = parseTarget(deps.target)
    await seen(cluster, 'trust.list', () => queryClient.query(trustQuery(cluster, target)))
  },
  component: lazyRouteComponent(() => import('../features/trust/TrustPage.tsx'), 'TrustPage'),
})

const accessPathsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/access-paths',
  validateSearch: z.object({ path: text }),
  loader: async ({ params: { cluster } }) => {
    const { accessPathsQuery } = await import('../api/access-paths.ts')
    await seen(cluster, 'access-path.list', () => queryClient.query(accessPathsQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/access-paths/AccessPathsPage.tsx'), 'AccessPathsPage'),
})

const instancesRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/instances',
  validateSearch: z.object({ sort: text, q: text }),
  loader: async ({ params: { cluster } }) => {
    const { instanceListQuery } = await import('../api/instances.ts')
    await seen(cluster, 'instance.list', () => queryClient.query(instanceListQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/instances/InstancesPage.tsx'), 'InstancesPage'),
})

const eventsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/events',
  validateSearch: z.object({
    q: text,
    type: z.enum(['lifecycle', 'operation']).optional().catch(undefined),
    action: text,
    project: text,
    server: text,
    object: text,
    who: text,
  }),
  loader: async ({ params: { cluster } }) => {
    const { eventLogQuery } = await import('../api/events.ts')
    await seen(cluster, 'event.list', () => queryClient.query(eventLogQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/events/EventsPage.tsx'), 'EventsPage'),
})

const historyRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/history',
  validateSearch: z.object({
    filter: text,
    reads: z.boolean().optional().catch(undefined),
    order: z.enum(['oldest']).optional().catch(undefined),
    record: text,
  }),
  component: lazyRouteComponent(() => import('../features/access-history/HistoryPage.tsx'), 'HistoryPage'),
})

const sessionsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/sessions',
  component: lazyRouteComponent(() => import('../features/sessions/SessionsPage.tsx'), 'SessionsPage'),
})

const operationsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/operations',
  validateSearch: z.object({
    sort: text,
    q: text,
    state: z.enum(['running', 'done', 'failed', 'cancelled', 'unknown']).optional().catch(undefined),
    server: text,
    project: text,
    who: text,
  }),
  loader: async ({ params: { cluster } }) => {
    const { keptOperationsQuery } = await import('../api/kept-operations.ts')
    // What runs is there first; what was kept may be long.
    void seen(cluster, 'operation.list', () => queryClient.query(keptOperationsQuery(cluster)))
    await seen(cluster, 'operation.list', () => queryClient.query(operationListQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/operations/OperationsPage.tsx'), 'OperationsPage'),
})

const operationRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/operations/$operation',
  loader: async ({ params: { cluster, operation } }) => {
    const { operationQuery } = await import('../api/kept-operations.ts')
    await seen(cluster, 'operation.read', () => queryClient.query(operationQuery(cluster, operation)))
  },
  component: lazyRouteComponent(() => import('../features/operations/OperationPage.tsx'), 'OperationPage'),
})

const routeTree = rootRoute.addChildren([
  startRoute,
  signInRoute,
  provedRoute,
  clusterRoute.addChildren([
    overviewRoute,
    membersRoute,
    memberRoute,
    memberHealthRoute,
    incidentsRoute,
    incidentRoute,
    accessPathsRoute,
    certificatesRoute,
    replaceCertificateRoute,
    trustRoute,
    instancesRoute,
    operationsRoute,
    operationRoute,
    eventsRoute,
    historyRoute,
    sessionsRoute,
  ]),
])

export const router = createRouter({
  routeTree,
  context: { queryClient },
  defaultPreload: 'intent',
  // The query cache decides what is old, not the router.
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 200,
  defaultPendingMinMs: 0,
  defaultPendingComponent: PageSkeleton,
  defaultErrorComponent: ErrorPage,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** The first list of most pages; what its rows show beside it comes when it comes. */
async function memberList(cluster: string): Promise<void> {
  void seen(cluster, 'member.list', () => queryClient.query(healthHistoryQuery(cluster)))
  await seen(cluster, 'member.list', () => queryClient.query(memberListQuery(cluster)))
}

/** Its contract is large and no first list needs it: it comes with its pages. */
async function latestAudit(cluster: string, member?: string): Promise<void> {
  if (!maySee(cluster, 'audit.read')) return
  const { latestAuditQuery } = await import('../api/audit.ts')
  await seen(cluster, 'audit.read', () => queryClient.query(latestAuditQuery(cluster, member)))
}

/** A reading that the page shows, with its failure too: the router only waits for it. What may not be seen is not read. */
async function seen(cluster: string, action: Action, read: () => Promise<unknown>): Promise<void> {
  if (!maySee(cluster, action)) return
  await read().catch(() => undefined)
}

/**
 * Who is signed in is asked before anything else, once: without a session there is nothing to show but the sign-in page,
 * which comes back to this link.
 */
async function signedIn(here: string): Promise<void> {
  try {
    await queryClient.query({ ...sessionQuery, staleTime: 'static' })
  } catch (error) {
    if (!(error instanceof ApiError) || !error.signedOut) throw error
    throw redirect({ to: signInPath, search: { returnTo: here || currentPath(window.location) }, replace: true })
  }
}
