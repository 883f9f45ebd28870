import { X509Certificate } from 'node:crypto'
import { badness } from '@malleus/shared/domain/health.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { ClusterConfig } from '../config.ts'
import { ClusterIngest } from '../ingest/cluster-ingest.ts'
import { sqliteIdentityUseStore } from '../ingest/identity-use-store.sqlite.ts'
import { sqliteStreamStore } from '../ingest/stream-store.sqlite.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import { isNamed } from './console-metrics.ts'
import type { Storage } from './storage.ts'

/** `logging` and nothing else: lifecycle events have a feed of their own. */
const logQuery = { type: 'logging', 'all-projects': 'true' }

/** What flows into the access history from one cluster, around the parts that reach it. */
export function createClusterIngest(
  { requestLog }: Pick<ClusterConfig, 'requestLog'>,
  { cluster }: Pick<ClusterParts, 'cluster'>,
  watch: Pick<ClusterWatch, 'feed'> | null,
  { database, history }: Pick<Storage, 'database' | 'history'>,
  tools: Tools,
): ClusterIngest {
  const { name, directory, board, gateway } = cluster
  const known = new Map<string, string>()
  return new ClusterIngest({
    cluster: name,
    setting: requestLog,
    identity: () => {
      if (cluster.identity === null) return null
      const { certificate, unrestricted } = cluster.identity
      const fingerprint = known.get(certificate) ?? fingerprintOf(new X509Certificate(certificate))
      known.set(certificate, fingerprint)
      return { fingerprint, unrestricted }
    },
    members: () =>
      directory
        .list()
        .filter((member) => member.contacted && isNamed(member.name))
        .map((member) => member.name),
    answers: (member) => badness(board.current(member).standing) < badness('ejected'),
    openLog: (member, handlers, signal) => gateway.openEvents(member, { kind: 'console' }, logQuery, handlers, signal),
    feed: watch?.feed ?? null,
    history,
    streams: sqliteStreamStore(database),
    uses: sqliteIdentityUseStore(database),
    ...tools,
  })
}

/** Keeps it following the members there are, and away from those that do not answer. Returns what ends that. */
export function steerIngest(ingest: ClusterIngest, { cluster: { directory, board } }: ClusterParts): () => void {
  const ends = [
    directory.subscribe(() => ingest.follow()),
    board.subscribe((change) => {
      if (change.kind !== 'member') return
      if (badness(change.after?.standing ?? 'ejected') < badness('ejected')) return
      ingest.abandon(change.member, `${change.member} did not answer`)
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}
