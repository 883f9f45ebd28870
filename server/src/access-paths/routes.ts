import { listAccessPaths } from '@malleus/shared/api/access-paths.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { AccessPaths } from './access-paths.ts'

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function accessPathRoutes(of: (cluster: string) => Pick<AccessPaths, 'list'>): Route[] {
  return [
    route({
      endpoint: listAccessPaths,
      action: 'access-path.list',
      class: 'read',
      object: () => null,
      handler: (_context, { params }) => Promise.resolve({ paths: of(params.cluster).list() }),
    }),
  ]
}
