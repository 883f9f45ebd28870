import type { RequestContext, Route } from '../http/route.ts'
import type { Figures } from '../figures/figures.ts'
import type { Clock } from '../lib/clock.ts'

/** The same route, with every request of a person that was put to the cluster counted in its figures. */
export function counted(row: Route, figuresOf: (cluster: string) => Figures | undefined, clock: Clock): Route {
  const isRead = row.class === 'read' || row.class === 'list'
  return {
    ...row,
    handler: async (context, input) => {
      const { cluster } = input.params as Readonly<Record<string, string | undefined>>
      const figures = cluster === undefined ? undefined : figuresOf(cluster)
      if (figures === undefined) return row.handler(context, input)
      const startedAt = clock.monotonic()
      let how: Parameters<RequestContext['answeredBy']>[0] | undefined
      const watching: RequestContext = {
        ...context,
        answeredBy: (answer, operation) => {
          how = answer
          context.answeredBy(answer, operation)
        },
      }
      try {
        const reply = await row.handler(watching, input)
        const readMs = isRead ? clock.monotonic() - startedAt : null
        if (how !== undefined) figures.served({ ok: true, hedged: how.hedged, readMs })
        return reply
      } catch (error) {
        if (isFailure(error)) figures.served({ ok: false, hedged: how?.hedged ?? false, readMs: null })
        throw error
      }
    },
  }
}

/** A refusal is an answer; these are not. */
const failures = new Set([
  'cluster_failed',
  'member_unavailable',
  'no_responsive_member',
  'deadline_exceeded',
  'outcome_unknown',
  'member_busy',
  'bad_upstream_reply',
])

function isFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && failures.has(error.code)
}
