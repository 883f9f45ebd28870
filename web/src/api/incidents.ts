import { getIncident, listIncidents } from '@malleus/shared/api/incidents.ts'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** Changes come by the stream; what counts by itself, such as for how long, is read again now and then. */
const rereadMs = 60_000

const pageSize = 50

export interface IncidentFilter {
  readonly member?: string | undefined
  readonly doubts?: boolean | undefined
}

/** Newest first, page by page. */
export function incidentPagesQuery(cluster: string, { member, doubts = false }: IncidentFilter) {
  return infiniteQueryOptions({
    queryKey: ['cluster', cluster, 'incidents', 'pages', { member, doubts }],
    enabled: () => maySee(cluster, 'incident.list'),
    queryFn: ({ signal, pageParam }) =>
      call(
        listIncidents,
        {
          params: { cluster },
          query: {
            limit: pageSize,
            doubts: doubts ? 'true' : 'false',
            ...(member !== undefined && { member }),
            ...(pageParam !== null && { before: pageParam }),
          },
        },
        { signal },
      ),
    initialPageParam: firstPage,
    getNextPageParam: ({ incidents, more }) => (more ? (incidents.at(-1)?.beganAt ?? null) : null),
    refetchInterval: rereadMs,
  })
}

const firstPage: string | null = null

/** Those that are not over. */
export function openIncidentsQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'incidents', 'open'],
    enabled: () => maySee(cluster, 'incident.list'),
    queryFn: ({ signal }) =>
      call(listIncidents, { params: { cluster }, query: { state: 'open', limit: 200 } }, { signal }),
    refetchInterval: rereadMs,
  })
}

export function incidentQuery(cluster: string, incident: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'incidents', 'one', incident],
    enabled: () => maySee(cluster, 'incident.list'),
    queryFn: ({ signal }) => call(getIncident, { params: { cluster, incident } }, { signal }),
    refetchInterval: rereadMs,
  })
}
