import type { FeedFact } from '../events/event-feed.ts'
import { incusEventEntry } from '../audit/record.ts'
import type { AuditEntry } from '../audit/record.ts'
import type { ClusterIngest } from '../ingest/cluster-ingest.ts'
import type { Clock } from '../lib/clock.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { LifecycleEvent } from '@malleus/shared/incus/event.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { ClusterWatch } from './cluster-watch.ts'

export interface ConsoleListenerOptions {
  readonly parts: ClusterParts
  /** What the console hears with its own identity; null where it has none. */
  readonly watch: ClusterWatch | null
  readonly ingest: Pick<ClusterIngest, 'record'>
  readonly hub: Pick<LiveHub, 'publish'>
  readonly tools: Tools
}

/**
 * What the console does itself with what a cluster tells it: the history grows, the list of members and the certificate
 * are read again, and who looks at it is told. Returns what ends it.
 */
export function listenForConsole(options: ConsoleListenerOptions): () => void {
  const { watch, hub, parts } = options
  const { name: cluster } = parts.cluster
  const ends = [
    watch?.feed.subscribe((fact) => hear(options, fact)),
    watch === null ? undefined : countInstances(watch, hub, cluster, options.tools.clock),
    parts.cluster.directory.subscribe(() => hub.publish({ kind: 'members-changed', cluster })),
    parts.reported.subscribe(() => hub.publish({ kind: 'members-changed', cluster })),
    parts.prober.onPresented(() => hub.publish({ kind: 'certificate-changed', cluster })),
    parts.cluster.trust.subscribe(() => hub.publish({ kind: 'certificate-changed', cluster })),
    parts.cluster.board.subscribe((change) => {
      if (change.kind === 'cluster') hub.publish({ kind: 'cluster-changed', cluster })
      else if (change.after !== null) {
        const health = parts.cluster.board.view(change.member)
        hub.publish({ kind: 'member-health-changed', cluster, member: change.member, health })
      }
    }),
  ]
  return () => {
    for (const end of ends) end?.()
  }
}

/** Keeps it known how many instances are where, and tells when that has changed. Returns what ends it. */
function countInstances({ instances }: ClusterWatch, hub: Pick<LiveHub, 'publish'>, cluster: string, clock: Clock) {
  const counted = () => JSON.stringify([...instances.counts()].map(([name, { value }]) => [name, value]))
  let before = counted()
  const unsubscribe = instances.subscribe(() => {
    const now = counted()
    if (now === before) return
    before = now
    hub.publish({ kind: 'members-changed', cluster })
  })
  let cancel = () => {}
  const again = (): void => {
    instances.counts()
    cancel = clock.after(countEveryMs, again)
  }
  again()
  return () => {
    unsubscribe()
    cancel()
  }
}

const countEveryMs = 60_000

function hear({ parts, ingest, watch }: ConsoleListenerOptions, fact: FeedFact): void {
  if (fact.kind === 'gap') {
    void parts.discovery.refresh()
    void watch?.operations.refresh()
    return
  }
  if (fact.event.type !== 'lifecycle') return
  const { action } = fact.event.metadata
  if (action.startsWith('cluster-member-') || action.startsWith('cluster-group-')) void parts.discovery.refresh()
  if (action === 'cluster-certificate-updated' || action === 'config-updated') parts.readings.refreshServers()
  ingest.record(entryOf(parts.cluster.name, fact.event))
}

function entryOf(cluster: string, { metadata, project, location, timestamp }: LifecycleEvent): AuditEntry {
  const { requestor } = metadata
  return incusEventEntry({
    cluster,
    action: metadata.action,
    object: metadata.name ?? objectIn(metadata.source),
    source: metadata.source.split('?')[0] ?? '',
    project: project === '' ? null : project,
    id: `${location}@${timestamp}`,
    member: location === '' || location === 'none' ? null : location,
    requestor:
      requestor === null || requestor === undefined
        ? null
        : { ...requestor, address: ['', '@'].includes(requestor.address) ? null : requestor.address },
  })
}

/** The last piece of the path: `server3` of `/1.0/cluster/members/server3`. */
function objectIn(source: string): string | null {
  const [path = ''] = source.split('?')
  const piece = path.split('/').at(-1)
  if (piece === undefined || piece === '') return null
  try {
    return decodeURIComponent(piece)
  } catch {
    return piece
  }
}
