import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { actions, type Action } from '@malleus/shared/domain/action.ts'
import { historyResult } from '@malleus/shared/domain/history-facts.ts'
import type { HistoryResult } from '@malleus/shared/domain/history-filter.ts'
import { formatDuration } from '../../lib/time.ts'

/** Who did it, as people say it. */
export function whoDid({ actor, source, req, action }: AuditRecord): string {
  if (actor !== null && actor.name !== '') {
    // Incus names clients by the fingerprint of their certificate, of which the beginning is enough to know them by.
    return /^[0-9a-f]{64}$/.test(actor.name) ? actor.name.slice(0, 12) : actor.name
  }
  if (action === 'request.refused') return 'A stranger'
  if (source === 'incus') return 'Incus'
  return req === null && !action.startsWith('session.') ? 'Malleus' : 'Somebody not signed in'
}

/** How they came: through this console, or how Incus says. */
export function cameBy({ actor, source }: AuditRecord): string | null {
  if (source === 'console') return actor === null ? null : 'console'
  return actor === null ? null : (actor.protocol ?? 'incus')
}

/**
 * What was done and how it went, to be followed by the object: "was refused evacuating", "evacuated", "failed at
 * cancelling the operation". `result` is of the whole deed, where more of it is known than this record says.
 */
export function sentenceOf(record: AuditRecord, result: HistoryResult = historyResult(record)): string {
  const deed = deedOf(record)
  switch (result) {
    case 'ok':
      return record.phase === 'intent' ? `began ${doing(deed)}` : deed
    case 'begun':
      return `began ${doing(deed)}`
    case 'refused':
      return `was refused ${doing(deed)}`
    case 'failed':
      return `failed at ${doing(deed)}`
    case 'unknown':
      return `tried, with unknown outcome, ${doing(deed)}`
  }
}

/** In the past: "evacuated", "deleted instance", "read". */
function deedOf({ action, req, during, decision }: AuditRecord): string {
  if (during !== undefined) {
    const lasted = formatDuration(Date.parse(during.to) - Date.parse(during.from))
    return `was not listened to for ${lasted}: ${decision.rule}`
  }
  const own = ownDeeds[action]
  if (own !== undefined) return own
  if (isAction(action)) return actions[action]
  if (action.startsWith('request.')) return requestDeed(action, req)
  const words = action.replace(/^[a-z-]+\./, '').split('-')
  const verb = words.at(-1) ?? action
  return /(ed|t|n)$/.test(verb) && words.length > 1 ? [verb, ...words.slice(0, -1)].join(' ') : words.join(' ')
}

/** `requested GET /1.0/instances` */
function requestDeed(action: string, req: AuditRecord['req']): string {
  const method = req === null || req.method === '' ? '' : ` ${req.method}`
  const path = req === null || req.path === '' ? '' : ` ${req.path}`
  return `${action === 'request.open' ? 'asked without signing in' : 'asked'}${method}${path}`
}

const ownDeeds: Readonly<Record<string, string>> = {
  'chain.begin': 'began to record',
  'chain.end': 'ended recording',
  'chain.resume': 'recorded again after a failure',
  'instance-shutdown': 'shut down instance',
  'cluster-member-evacuated': 'evacuated',
  'cluster-member-restored': 'restored',
  'cluster-certificate-updated': 'replaced the cluster certificate',
  'instance-exec': 'opened a terminal in',
  'instance-console': 'opened the console of',
  'trust.followed': 'followed the cluster to a new certificate',
  'trust.advanced': 'no longer accepts the old certificate; current is',
}

/** "evacuated" → "evacuating": the first word takes another ending, the rest stays. */
export function doing(deed: string): string {
  const [verb = '', ...rest] = deed.split(' ')
  return [participle(verb), ...rest].join(' ')
}

const irregular: Readonly<Record<string, string>> = {
  read: 'reading',
  was: 'being',
  took: 'taking',
  made: 'making',
  gave: 'giving',
  began: 'beginning',
  put: 'putting',
  set: 'setting',
  sent: 'sending',
  saw: 'seeing',
  found: 'finding',
  wrote: 'writing',
  drew: 'drawing',
  withdrew: 'withdrawing',
}

function participle(verb: string): string {
  const known = irregular[verb]
  if (known !== undefined) return known
  if (verb.endsWith('ied')) return `${verb.slice(0, -3)}ying`
  return verb.endsWith('ed') ? `${verb.slice(0, -2)}ing` : verb
}

function isAction(action: string): action is Action {
  return Object.hasOwn(actions, action)
}
