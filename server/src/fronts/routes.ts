import { FrontKind, getFront } from '@malleus/shared/api/fronts.ts'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { frontInput } from './front-input.ts'
import { generateFront } from './generate-front.ts'
import { NoSuchFront } from './no-such-front.ts'

/** `of` finds the servers of a cluster by its name; the door has checked that the person may see it. */
export function frontRoutes(of: (cluster: string) => Pick<MemberDirectory, 'list'>): Route[] {
  return [
    route({
      endpoint: getFront,
      action: 'front.read',
      class: 'read',
      object: ({ kind }) => kind,
      handler: async (_context, { params, query }) => {
        const kind = FrontKind.safeParse(params.kind)
        if (!kind.success) throw new NoSuchFront()
        return generateFront(kind.data, frontInput(params.cluster, of(params.cluster).list(), query))
      },
    }),
  ]
}
