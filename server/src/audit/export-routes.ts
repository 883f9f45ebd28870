import { beginDownload } from '@malleus/shared/api/downloads.ts'
import { formatHistoryFilter, parseHistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import type { KeyObject } from 'node:crypto'
import { route } from '../http/route.ts'
import type { RequestContext, Route } from '../http/route.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { AuditLog } from './audit-log.ts'
import { ExportWriter } from './export-writer.ts'
import { FilterRefused, NoSuchRecord } from './filter-refused.ts'
import type { HistorySearch } from './history-search.ts'
import { actorOf, auditEntry, requestOf } from './record.ts'
import type { VisibleHistory } from './routes.ts'

export interface ExportedFile {
  readonly name: string
  readonly type: string
  readonly pieces: () => AsyncIterable<Buffer>
  readonly ended: (how: { readonly whole: boolean; readonly bytes: number }) => void
}

export interface ExportRouteParts {
  readonly search: Pick<HistorySearch, 'lines'>
  readonly history: Pick<AuditLog, 'outcome'>
  readonly signing: KeyObject
  readonly clock: Clock
  /** Policy's answer: of which clusters the person may take records away. */
  readonly visibleTo: (principal: RequestContext['principal']) => VisibleHistory
  /** The path under which a session may download a file. */
  readonly give: (session: string, file: ExportedFile, livesMs?: number) => string
}

/** The manifest is made when the file is whole, which may take as long as the person's connection needs. */
const MANIFEST_LIVES_MS = 60 * 60_000
const NOT_BEGUN_MS = 35_000
const types = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const

/**
 * Exports: announced in the history before the first byte, and their end with how much it was; the file says nothing that
 * was not in the history when it was asked for, and its manifest is signed.
 */
export function exportRoutes(parts: ExportRouteParts): readonly Route[] {
  return [
    route({
      endpoint: beginDownload,
      action: 'audit.export',
      class: 'mutate',
      stepUp: true,
      // The path is worth a file to whoever has it and the session: it is told once.
      secret: true,
      object: (_params, { cluster }) => cluster,
      handler: (context, { body: { cluster, filter, reads, format } }) => {
        const { search, history, signing, clock, visibleTo, give } = parts
        const { principal, requestId, clientAddress } = context
        const { clusters, withoutCluster } = visibleTo(principal)
        if (!clusters.includes(cluster)) throw new NoSuchRecord('There is no such cluster, or you may not see it.')
        const parsed = parseHistoryFilter(filter)
        if (!parsed.ok) throw new FilterRefused(parsed.problem.message)
        const asked = formatHistoryFilter(parsed.filter)
        const writer = new ExportWriter({ format, by: principal.name, filter: asked })
        const question = { filter: parsed.filter, clusters: [cluster], withoutCluster, reads }
        const { promise: whole, resolve } = Promise.withResolvers<boolean>()
        // Whoever does not begin in time has nothing that could be signed.
        const cancel = clock.after(NOT_BEGUN_MS, () => resolve(false))
        const at = instant(clock.now())
        const name = `access-history-${cluster}-${at.slice(0, 10)}`
        const begunAt = clock.monotonic()
        const path = give(principal.sessionTag, {
          name: `${name}.${format}`,
          type: types[format],
          pieces: async function* () {
            cancel()
            yield writer.begin()
            for await (const lines of search.lines(question)) yield writer.chunk(lines)
          },
          ended: ({ whole: isWhole, bytes }) => {
            resolve(isWhole)
            const req = requestOf({ id: requestId, method: 'GET', route: '/d/:ticket', path: '/d/' })
            const ms = Math.round(clock.monotonic() - begunAt)
            const out = { status: 200, op: null, opStatus: isWhole ? 'success' : 'failure', bytes, ms, code: null }
            const who = { actor: actorOf(principal), src: { ip: clientAddress, via: null } }
            history.outcome(auditEntry({ action: 'audit.export', object: cluster, ...who, req, out }))
          },
        })
        const manifest = give(
          principal.sessionTag,
          {
            name: `${name}.manifest.json`,
            type: 'application/json',
            pieces: async function* () {
              if (!(await whole)) throw new Error('The export did not come to its end')
              yield Buffer.from(writer.manifest(instant(clock.now()), signing))
            },
            ended: () => undefined,
          },
          MANIFEST_LIVES_MS,
        )
        return Promise.resolve({ path, manifest })
      },
    }),
  ]
}
