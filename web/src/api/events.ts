import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { listEvents, type ClusterEvent, type EventEntry } from '@malleus/shared/api/events.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

type Reply = ReplyOf<typeof listEvents>

/** An event or a gap, with the number that this page gave it: it counts on whatever becomes of the console. */
export type LoggedEntry = EventEntry & { readonly n: number }

/** What this page has heard of a cluster, oldest first. */
export interface EventLog extends Pick<Reply, 'position' | 'since' | 'listening' | 'deafSince'> {
  readonly entries: readonly LoggedEntry[]
}

/** More than the console keeps, so that a page that stays open has more to look at; and an end to what it takes. */
const keptAtMost = 5_000

/** What happens in a cluster, growing: after the first time only what came since is asked for. */
export function eventLogQuery(cluster: string) {
  const queryKey = ['cluster', cluster, 'events'] as const
  return queryOptions({
    queryKey,
    enabled: () => maySee(cluster, 'event.list'),
    queryFn: async ({ signal, client }): Promise<EventLog> => {
      const before = client.getQueryData<EventLog>(queryKey)
      const query = before === undefined ? {} : { after: before.position }
      return withEvents(before, await call(listEvents, { params: { cluster }, query }, { signal }))
    },
    // Entries never change; comparing thousands of them each time would be felt.
    structuralSharing: false,
    // The live stream tells when there is something; this is for when it does not.
    refetchInterval: 15_000,
  })
}

/** The log with what an answer adds. Where that does not follow what was known, there is a gap, with its length. */
export function withEvents(before: EventLog | undefined, reply: Reply): EventLog {
  const { position, since, listening, deafSince } = reply
  const added = before === undefined || reply.continues ? reply.entries : rejoined(before, reply)
  if (before !== undefined && added.length === 0) {
    return { position, since, listening, deafSince, entries: before.entries }
  }
  const last = before?.entries.at(-1)?.n ?? 0
  const numbered = added.map((entry, at) => ({ ...entry, n: last + 1 + at }))
  const entries = [...(before?.entries ?? []), ...numbered].slice(-keptAtMost)
  return { position, since, listening, deafSince, entries }
}

/** The console listened anew, or keeps less than this page missed. What both have is told once. */
function rejoined({ entries, since }: EventLog, reply: Reply): readonly EventEntry[] {
  const known = new Set(entries.filter((entry) => entry.kind === 'event').map(identityOf))
  const isKnown = (entry: EventEntry) => entry.kind === 'event' && known.has(identityOf(entry))
  const fresh = reply.entries.slice(reply.entries.findLastIndex(isKnown) + 1)
  // Both have the same event: nothing came between it and what follows it.
  if (fresh.length < reply.entries.length) return fresh
  const from = endOf(entries.at(-1)) ?? since
  const to = startOf(reply.entries[0]) ?? reply.since
  if (Date.parse(to) <= Date.parse(from)) return fresh
  return [{ kind: 'gap', seq: 0, from, to, reason: 'the console was not heard' }, ...fresh]
}

function identityOf({ raw, location, action, source }: ClusterEvent): string {
  return JSON.stringify([raw['timestamp'], location, action, source])
}

function endOf(entry: EventEntry | undefined): string | undefined {
  return entry?.kind === 'gap' ? entry.to : entry?.heardAt
}

function startOf(entry: EventEntry | undefined): string | undefined {
  return entry?.kind === 'gap' ? entry.from : entry?.heardAt
}
