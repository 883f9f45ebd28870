import { ProblemCode } from '@malleus/shared/api/problem.ts'
import type { RequestContext, Route } from '../http/route.ts'
import type { Figures } from '../figures/figures.ts'
import type { Clock } from '../lib/clock.ts'
import type { ConsoleMetrics } from './console-metrics.ts'

/** The same route, with every request of a person that was put to the cluster counted in its figures and the metrics. */
export function counted(
  row: Route,
  figuresOf: (cluster: string) => Figures | undefined,
  metrics: Pick<ConsoleMetrics, 'served'>,
  clock: Clock,
): Route {
  const isRead = row.class === 'read' || row.class === 'list'
  return {
    ...row,
    handler: async (context, input) => {
      const { cluster } = input.params as Readonly<Record<string, string | undefined>>
      const figures = cluster === undefined ? undefined : figuresOf(cluster)
      if (cluster === undefined || figures === undefined) return row.handler(context, input)
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
        const tookMs = clock.monotonic() - startedAt
        const readMs = isRead ? tookMs : null
        metrics.served(cluster, row.class, 'answered', tookMs)
        if (how !== undefined) figures.served({ ok: true, hedged: how.hedged, readMs })
        return reply
      } catch (error) {
        const code = codeIn(error)
        metrics.served(cluster, row.class, resultOf(code), clock.monotonic() - startedAt)
        if (failures.has(code)) figures.served({ ok: false, hedged: how?.hedged ?? false, readMs: null })
        throw error
      }
    },
  }
}

/** A refusal is an answer; these are not. */
const failures: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'cluster_failed',
  'member_unavailable',
  'no_responsive_member',
  'deadline_exceeded',
  'outcome_unknown',
  'member_busy',
  'bad_upstream_reply',
  'database_unavailable',
  'sign_in_not_checked',
])

/** What the console itself could not do; no cluster is to blame. */
const ownFailures: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'audit_unavailable',
  'storage_unavailable',
  'provider_unavailable',
  'internal',
])

/** As the person who asked is told; what has no code of ours is a mistake of ours. */
function codeIn(error: unknown): ProblemCode {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return ProblemCode.safeParse(code).data ?? 'internal'
}

function resultOf(code: ProblemCode): ProblemCode | 'refused' {
  return failures.has(code) || ownFailures.has(code) ? code : 'refused'
}
