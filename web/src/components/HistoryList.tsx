import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { formatClock, formatFull } from '../lib/time.ts'
import { Chip } from '../ui/Badge.tsx'
import { inkOf } from '../ui/StateMark.tsx'
import { historyLines } from './history-words.ts'

const shownLines = 8

/** The latest of the access history, in sentences. */
export function HistoryList({ records }: { records: readonly AuditRecord[] }) {
  const lines = historyLines(records).slice(0, shownLines)
  if (lines.length === 0) {
    return <p className="px-(--pad-x) py-3 text-ink-3">Nothing was changed, refused or signed in to yet.</p>
  }
  return (
    <ul className="divide-y divide-line">
      {lines.map((line) => (
        <li
          key={line.key}
          className="grid min-h-(--row) grid-cols-[60px_minmax(0,1fr)] items-center gap-x-3 px-(--pad-x) py-1.5 sm:grid-cols-[60px_minmax(0,190px)_minmax(0,1fr)_auto]"
        >
          <time dateTime={line.at} title={formatFull(line.at)} className="text-ink-3 tabular-nums">
            {formatClock(line.at)}
          </time>
          <span className="flex min-w-0 items-center gap-2">
            <span className="truncate font-strong" title={line.who}>
              {line.who}
            </span>
            {line.by !== undefined && (
              <Chip title="Seen in the cluster's own events, not done through this console">{line.by}</Chip>
            )}
          </span>
          <span className="min-w-0 wrap-anywhere max-sm:col-start-2">
            {line.outcome !== undefined && line.tone !== undefined && (
              <span className={inkOf[line.tone]}>{line.outcome} </span>
            )}
            {line.deed} {line.object !== undefined && <span className="font-mono text-12">{line.object}</span>}
          </span>
          {line.via !== undefined && (
            <span className="max-w-40 truncate text-ink-3 max-sm:col-start-2" title={`via ${line.via}`}>
              via {line.via}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
