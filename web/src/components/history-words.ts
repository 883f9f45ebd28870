import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { actions, type Action } from '@malleus/shared/domain/action.ts'
import { joinRecords } from '@malleus/shared/domain/join-records.ts'
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

/**
 * The latest lines, newest first: one for each thing done, told by the last that is known of it, and one for the same
 * thing done to many objects in a row.
 */
export function historyLines(records: readonly AuditRecord[]): readonly HistoryLine[] {
  const stories = new Map<string, AuditRecord>()
  for (const record of withoutToldRequests(records)) {
    if (record.phase === 'genesis' || record.phase === 'close') continue
    const latest = stories.get(requestOf(record))
    // What was found out later does not say again who did it.
    stories.set(requestOf(record), latest === undefined ? record : { ...latest, actor: latest.actor ?? record.actor })
  }
  return together(withoutEchoes([...stories.values()].map(lineOf)))
}

/** A request that a member logged says nothing new where what was done by it is told too. */
function withoutToldRequests(records: readonly AuditRecord[]): readonly AuditRecord[] {
  const isRequest = ({ action }: AuditRecord): boolean => action.startsWith('request.')
  const told = joinRecords(records).filter(({ parts }) => !parts.every(isRequest))
  const echoes = new Set(told.flatMap(({ parts }) => parts.filter(isRequest)))
  return records.filter((record) => !echoes.has(record))
}

function requestOf(record: AuditRecord): string {
  return record.req?.id ?? `${record.chain}:${record.seq}`
}

function lineOf(record: AuditRecord): HistoryLine {
  const isGap = record.during !== undefined
  return {
    key: `${record.chain}:${record.seq}`,
    at: record.ts,
    who: whoDid(record),
    // That something is missing, the console noticed.
    by: record.source === 'incus' && !isGap ? (record.actor?.protocol ?? 'incus') : undefined,
    ...outcomeOf(record),
    deed: deedOf(record),
    object: record.object ?? undefined,
    via: isGap ? undefined : (record.up?.via ?? record.src.via ?? undefined),
  }
}

/** Incus names clients by the fingerprint of their certificate, of which the beginning is enough to know them by. */
function whoDid({ actor, source, action, req, during }: AuditRecord): string {
  if (actor !== null && actor.name !== '')
    return /^[0-9a-f]{64}$/.test(actor.name) ? actor.name.slice(0, 12) : actor.name
  if (during !== undefined) return 'Malleus'
  if (action === 'request.refused') return 'a stranger'
  if (source === 'incus') return 'Incus'
  return req === null && !action.startsWith('session.') ? 'Malleus' : 'somebody not signed in'
}

function outcomeOf({ decision, phase, out }: AuditRecord): Pick<HistoryLine, 'tone' | 'outcome'> {
  if (!decision.allow) return { tone: 'bad', outcome: 'denied:' }
  const isRunning = phase === 'intent' || (out?.op !== null && out?.op !== undefined && out.opStatus === null)
  if (isRunning && (out?.status ?? 0) < 400) return { tone: 'info', outcome: 'in progress:' }
  if (out?.opStatus === 'unknown' || (out?.code === 'outcome_unknown' && out.opStatus === null)) {
    return { tone: 'warning', outcome: 'outcome unknown:' }
  }
  if (out?.opStatus === 'not-applied') return { tone: 'warning', outcome: 'not done:' }
  if (out?.opStatus === 'cancelled') return { tone: 'warning', outcome: 'cancelled:' }
  const failed = (out?.status ?? 0) >= 400 || out?.opStatus === 'failure'
  return failed ? { tone: 'bad', outcome: 'failed:' } : { tone: undefined, outcome: undefined }
}

/** How long after this console did something Incus may tell of it. */
const echoMs = 10_000

/** What was done through this console comes back as an event of Incus: that is the same thing, and told once. */
function withoutEchoes(lines: readonly HistoryLine[]): readonly HistoryLine[] {
  const own = lines.filter(({ by, outcome }) => by === undefined && outcome === undefined)
  return lines.filter((line) => line.by === undefined || !own.some((done) => isEcho(line, done)))
}

function isEcho(line: HistoryLine, done: HistoryLine): boolean {
  // The console comes over the network: what was done at a server's own socket, somebody else did.
  if (line.by === 'unix') return false
  const apartMs = Math.abs(Date.parse(line.at) - Date.parse(done.at))
  return line.deed === done.deed && line.object === done.object && apartMs <= echoMs
}

/** An evacuation moves many instances; that is one line, named by the last of them. */
function together(lines: readonly HistoryLine[]): readonly HistoryLine[] {
  const groups: { first: HistoryLine; objects: number }[] = []
  for (const line of lines) {
    const group = groups.at(-1)
    if (group !== undefined && line.object !== undefined && isSameDeed(group.first, line)) group.objects += 1
    else groups.push({ first: line, objects: 1 })
  }
  return groups.map(({ first, objects }) =>
    objects === 1 ? first : { ...first, object: `${first.object} and ${objects - 1} more` },
  )
}

function isSameDeed(a: HistoryLine, b: HistoryLine): boolean {
  const mayBeMany = a.by !== undefined || a.who === 'Malleus'
  return mayBeMany && a.who === b.who && a.by === b.by && a.deed === b.deed && a.outcome === b.outcome
}

const otherDeeds: Readonly<Record<string, string>> = {
  request: 'a request',
  'request.refused': 'a request',
  'requests.gap': 'did not hear',
  'events.gap': 'did not hear the cluster',
  'cluster-member-evacuated': 'evacuated',
  'cluster-member-restored': 'restored',
  'cluster-member-added': 'added',
  'cluster-member-removed': 'removed',
  'cluster-member-updated': 'edited',
  'cluster-member-renamed': 'renamed',
  'cluster-certificate-updated': 'replaced the cluster certificate',
  'trust.followed': 'followed the cluster to a new certificate',
  'trust.advanced': 'no longer accepts the old certificate; current is',
  'trust.dropped': 'no longer expects the certificate',
  'certificate.drift-began': 'found an old certificate on',
  'certificate.stranger': 'sends nothing to who presents another certificate:',
  'certificate.drift-ended': 'found the old certificate gone from',
}

/** Console actions have their own words; Incus's keep Incus's, with spaces. */
function deedOf({ action, req }: AuditRecord): string {
  if (isAction(action)) return actions[action]
  if (action === 'request.change') return `asked ${req?.method ?? ''} ${req?.path ?? ''}`
  return otherDeeds[action] ?? action.replaceAll('-', ' ')
}

function isAction(action: string): action is Action {
  return Object.hasOwn(actions, action)
}
