import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { actions, type Action } from '@malleus/shared/domain/action.ts'
import type { Tone } from '../ui/StateMark.tsx'

/** One line of the access history as people say it: who, what, to what, and how it went. */
export interface HistoryLine {
  readonly key: string
  readonly at: string
  readonly who: string
  /** How it came, where that was not through this console. */
  readonly by: string | undefined
  readonly tone: Tone | undefined
  /** Said before the deed where it did not simply happen: "denied", "failed". */
  readonly outcome: string | undefined
  readonly deed: string
  readonly object: string | undefined
  readonly via: string | undefined
}

/** The latest lines, one for each thing done: the outcome stands for the intent before it. */
export function historyLines(records: readonly AuditRecord[]): readonly HistoryLine[] {
  const ended = new Set(records.filter(({ phase }) => phase === 'outcome').map(requestOf))
  return records
    .filter((record) => record.phase !== 'genesis' && record.phase !== 'close')
    .filter((record) => record.phase !== 'intent' || !ended.has(requestOf(record)))
    .map(lineOf)
}

function requestOf(record: AuditRecord): string {
  return record.req?.id ?? `${record.chain}:${record.seq}`
}

function lineOf(record: AuditRecord): HistoryLine {
  return {
    key: `${record.chain}:${record.seq}`,
    at: record.ts,
    who: record.actor?.name ?? 'somebody not signed in',
    by: record.source === 'incus' ? (record.actor?.protocol ?? 'incus') : undefined,
    ...outcomeOf(record),
    deed: deedOf(record),
    object: record.object ?? undefined,
    via: record.up?.via ?? record.src.via ?? undefined,
  }
}

function outcomeOf(record: AuditRecord): Pick<HistoryLine, 'tone' | 'outcome'> {
  if (!record.decision.allow) return { tone: 'bad', outcome: 'denied:' }
  if (record.phase === 'intent') return { tone: 'unknown', outcome: 'in progress:' }
  if (record.out?.opStatus === 'unknown' || record.out?.code === 'outcome_unknown') {
    return { tone: 'warning', outcome: 'outcome unknown:' }
  }
  const failed = (record.out?.status ?? 0) >= 400 || record.out?.opStatus === 'failure'
  return failed ? { tone: 'bad', outcome: 'failed:' } : { tone: undefined, outcome: undefined }
}

const incusDeeds: Readonly<Record<string, string>> = {
  'cluster-member-evacuated': 'evacuated',
  'cluster-member-restored': 'restored',
  'cluster-member-added': 'added',
  'cluster-member-removed': 'removed',
  'cluster-member-updated': 'edited',
  'cluster-member-renamed': 'renamed',
  'cluster-certificate-updated': 'replaced the cluster certificate',
}

/** Console actions have their own words; Incus's keep Incus's, with spaces. */
function deedOf({ action }: AuditRecord): string {
  if (isAction(action)) return actions[action]
  return incusDeeds[action] ?? action.replaceAll('-', ' ')
}

function isAction(action: string): action is Action {
  return Object.hasOwn(actions, action)
}
