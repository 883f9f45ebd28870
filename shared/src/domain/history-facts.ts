import type { AuditRecord } from '../api/audit.ts'
import type { HistoryFacts, HistoryResult, HistoryView } from './history-filter.ts'

/** What a record says for each field of the filter. Whether a sign-in came from a new address only the history knows. */
export function historyFacts(record: AuditRecord): HistoryFacts {
  const { actor, action, object, up, src, req, cluster, source } = record
  return {
    ...said('who', actor?.name),
    ...said('what', action),
    ...said('to', object),
    ...said('on', up?.via),
    ...said('via', src.via),
    ...said('from', src.ip),
    result: historyResult(record),
    ...said('project', req?.project),
    ...said('cluster', cluster),
    source,
    view: viewsOf(record),
  }
}

/** How it went, as far as this one record knows. */
export function historyResult({ decision, phase, out }: AuditRecord): HistoryResult {
  if (!decision.allow) return 'refused'
  if (out?.opStatus === 'unknown' || (out?.code === 'outcome_unknown' && out.opStatus === null)) return 'unknown'
  const status = out?.status ?? 0
  const failed = ['failure', 'not-applied', 'cancelled'].includes(out?.opStatus ?? '')
  if (status === 401 || status === 403) return 'refused'
  if (status >= 400 || failed) return 'failed'
  if (phase === 'intent') return 'begun'
  return out !== null && out.op !== null && out.opStatus === null ? 'begun' : 'ok'
}

/** Whether it says that somebody came in. */
export function isSignIn({ action, decision, source, actor }: AuditRecord): boolean {
  return source === 'console' && action === 'session.sign-in' && decision.allow && actor !== null
}

function said<Field extends string>(field: Field, value: string | null | undefined): Partial<Record<Field, string>> {
  if (value === null || value === undefined || value === '') return {}
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key loses its literal type
  return { [field]: value } as Record<Field, string>
}

function viewsOf(record: AuditRecord): readonly HistoryView[] {
  const { action, source, actor, phase } = record
  const looks = /\.(read|list)$/.test(action) || action === 'session.activity'
  const views: HistoryView[] = []
  if (!looks && isTrust(action)) views.push('trust')
  if (!looks && source === 'console' && actor?.roles.includes('admin') === true && phase !== 'intent')
    views.push('admin')
  if (isTerminal(action)) views.push('terminals')
  if (isOutside(record)) views.push('outside')
  return views
}

/**
 * Whether it tells of something that did not go through this console. What nobody, or a member for another, is said to
 * have done is part of something that somebody did; a stranger whom Incus turned away is nobody, and acted.
 */
function isOutside({ source, actor, decision, during }: AuditRecord): boolean {
  if (source !== 'incus' || during !== undefined || decision.rule === throughConsole) return false
  return actor === null ? !decision.allow : actor.protocol !== 'cluster'
}

/** What the history says of a line of Incus's request log that this console caused. */
const throughConsole = 'through this console'

/** Incus's own words: `certificate-created`, `cluster-certificate-updated`, `cluster-token-created`, … */
function isTrust(action: string): boolean {
  return /^(certificate|trust)[.-]|^cluster-(certificate|token)-|[.-](pin|identity)[.-]/.test(action)
}

/** `instance-exec`, `instance-console`, `instance-console-retrieved` and ours. */
function isTerminal(action: string): boolean {
  return /^instance[.-](exec|console|terminal)/.test(action)
}
