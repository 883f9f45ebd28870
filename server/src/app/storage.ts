import type { AuditLog } from '../audit/audit-log.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { SqliteAttestationStore } from '../audit/attestation-store.sqlite.ts'
import { SqliteAuditStore } from '../audit/audit-store.sqlite.ts'
import { Checkpoints } from '../audit/checkpoints.ts'
import { HistorySearch } from '../audit/history-search.ts'
import { partsOf } from '../audit/parts-of.ts'
import { RecordView } from '../audit/record-view.ts'
import { Retention } from '../audit/retention.ts'
import { SearchIndex } from '../audit/search-index.ts'
import { SqliteSearchStore } from '../audit/search-store.sqlite.ts'
import { SqliteSinkStore } from '../audit/sink-store.sqlite.ts'
import { openSinks } from '../audit/sinks.ts'
import { HistoryVerification } from '../audit/verification.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import type { Keys } from '../lib/keys.ts'
import { loadKeys } from '../lib/keys.ts'
import type { Tools } from './cluster-parts.ts'
import type { ConsoleMetrics } from './console-metrics.ts'

/** What outlives a restart: keys, the database, and the access history in a file of its own. */
export interface Storage {
  readonly keys: Keys
  readonly database: Database
  readonly history: AuditLog
  readonly verification: HistoryVerification
  readonly search: HistorySearch
  readonly records: RecordView
  close(): Promise<void>
}

/** @throws KeysUnusable, CannotOpenDatabase: with a sentence for who starts the console. */
export async function openStorage(
  config: Config,
  metrics: Pick<ConsoleMetrics, 'databaseWatch'>,
  tools: Tools,
): Promise<Storage> {
  const { clock, random, logger } = tools
  const keys = await loadKeys(config.keysFile, { create: true, random })
  const { folder } = config.storage
  const database = await openDatabase(folder, 'malleus', { clock, onAnswered: metrics.databaseWatch('malleus') })
  const auditDatabase = await openDatabase(folder, 'audit', { clock, onAnswered: metrics.databaseWatch('audit') })
  const store = new SqliteAuditStore(auditDatabase)
  const reads = config.auditReads === 'strict' ? 'strict' : 'coalesced'
  const history = await openAuditLog({ store, ...tools, reads, mostWaiting: config.limits.auditQueue })
  const attestations = new SqliteAttestationStore(auditDatabase)
  const head = () => history.head
  const verification = new HistoryVerification({ store, attestations, key: keys.signing, head, clock, logger })
  verification.start()
  const checkpoints = new Checkpoints({ store: attestations, signing: keys.signing, history, clock, logger })
  const places = new SqliteSinkStore(auditDatabase)
  const sinks = openSinks(config.auditSinks, { places, records: store, attestations, clock, random, logger })
  checkpoints.onSigned(() => sinks.forEach((sink) => sink.poke()))
  checkpoints.start()
  history.subscribe(() => sinks.forEach((sink) => sink.wantsRecords && sink.poke()))
  const retention = new Retention({
    records: store,
    attestations,
    signing: keys.signing,
    history,
    days: config.auditRetention,
    clock,
    logger,
  })
  retention.start()
  const searchDatabase = await openDatabase(folder, 'search', { clock, onAnswered: metrics.databaseWatch('search') })
  const searchStore = new SqliteSearchStore(searchDatabase)
  const index = new SearchIndex({ history: store, store: searchStore, clock, logger })
  const unfollow = history.subscribe(() => index.follow())
  index.follow()
  const search = new HistorySearch({ history: store, store: searchStore, index, clock })
  const records = new RecordView({ history: store, search, partsOf })
  return {
    keys,
    database,
    history,
    verification,
    search,
    records,
    close: async () => {
      unfollow()
      await index.stop()
      await verification.stop()
      await retention.stop()
      await history.close()
      await checkpoints.stop()
      await Promise.all(sinks.map((sink) => sink.stop()))
      await Promise.all([auditDatabase.close(), searchDatabase.close(), database.close()])
    },
  }
}
