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
import { sessionQuery } from '../api/session.ts'
import { currentPath, signInPath } from '../lib/paths.ts'
import { SignInProblem } from '@malleus/shared/api/session.ts'
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
  loader: async ({ location }) => {
    const { clusters } = await signedIn(location.href, () =>
      queryClient.query({ ...clusterListQuery, staleTime: 'static' }),
    )
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

/** Everything about one cluster. The target stays in every link below it. */
const clusterRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/clusters/$cluster',
  validateSearch: z.object({ target: text }),
  search: { middlewares: [retainSearchParams(['target'])] },
  loader: async ({ params, location }) => {
    const [, { clusters }] = await signedIn(location.href, () =>
      Promise.all([
        queryClient.query({ ...sessionQuery, staleTime: 'static' }),
        queryClient.query({ ...clusterListQuery, staleTime: 'static' }),
      ]),
    )
    if (!clusters.some(({ name }) => name === params.cluster)) throw notFound()
    void prefetched(queryClient.query(operationListQuery(params.cluster)))
  },
  component: AppShell,
})

const overviewRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/',
  loader: async ({ params: { cluster } }) => {
    void prefetched(queryClient.query(figuresQuery(cluster)))
    void prefetched(queryClient.query(healthHistoryQuery(cluster)))
    void latestAudit(cluster)
    await prefetched(queryClient.query(memberListQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/overview/OverviewPage.tsx'), 'OverviewPage'),
})

const membersRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/members',
  validateSearch: z.object({ sort: text, q: text, show: z.enum(['attention']).optional().catch(undefined) }),
  loader: async ({ params: { cluster } }) => {
    void prefetched(queryClient.query(healthHistoryQuery(cluster)))
    await prefetched(queryClient.query(memberListQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/members/MembersPage.tsx'), 'MembersPage'),
})

const memberRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/members/$member',
  loaderDeps: ({ search: { target } }) => ({ target }),
  loader: async ({ params: { cluster, member }, deps }) => {
    void prefetched(queryClient.query(memberQuery(cluster, member, parseTarget(deps.target))))
    void prefetched(queryClient.query(healthHistoryQuery(cluster)))
    void latestAudit(cluster, member)
    // The detail may take its time; what the list knows is shown at once.
    await prefetched(queryClient.query(memberListQuery(cluster)))
  },
  component: lazyRouteComponent(() => import('../features/members/MemberPage.tsx'), 'MemberPage'),
})

const certificatesRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: '/certificates',
  loaderDeps: ({ search: { target } }) => ({ target }),
  loader: async ({ params: { cluster }, deps }) => {
    const { certificateQuery } = await import('../api/certificate.ts')
    await prefetched(queryClient.query(certificateQuery(cluster, parseTarget(deps.target))))
  },
  component: lazyRouteComponent(() => import('../features/certificates/CertificatesPage.tsx'), 'CertificatesPage'),
})

const routeTree = rootRoute.addChildren([
  startRoute,
  signInRoute,
  clusterRoute.addChildren([overviewRoute, membersRoute, memberRoute, certificatesRoute]),
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

/** Its contract is large and no first list needs it: it comes with its pages. */
async function latestAudit(cluster: string, member?: string): Promise<void> {
  const { latestAuditQuery } = await import('../api/audit.ts')
  await prefetched(queryClient.query(latestAuditQuery(cluster, 8, member)))
}

/** A reading that the page shows, with its failure too: the router only waits for it. */
function prefetched(reading: Promise<unknown>): Promise<void> {
  return reading.then(
    () => undefined,
    () => undefined,
  )
}

/** Without a session there is nothing to show: to the sign-in page, and from there back to this link. */
async function signedIn<T>(here: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof ApiError) || !error.signedOut) throw error
    // A page that is open keeps its last data and is locked instead.
    if (queryClient.getQueryData(sessionQuery.queryKey) !== undefined) throw error
    throw redirect({ to: signInPath, search: { returnTo: here || currentPath(window.location) }, replace: true })
  }
}
