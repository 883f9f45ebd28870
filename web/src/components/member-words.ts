import type { Member } from '@malleus/shared/api/members.ts'
import { isAnswering, type Standing, type Symptom } from '@malleus/shared/domain/health.ts'
import { formatClock, formatDuration, formatMs } from '../lib/time.ts'
import type { Shape, Tone } from '../ui/StateMark.tsx'

/**
 * What the state of a server is called, and the sentence about it. The badge is what this console measures, except that
 * a server which answers is called Evacuated while the cluster calls it so.
 */

export type MemberNow = Pick<Member, 'name' | 'notContacted' | 'reported' | 'health' | 'presented'>

export interface State {
  readonly tone: Tone
  readonly shape: Shape
  readonly word: string
}

const symptomStates: Record<Symptom, State> = {
  slow: { tone: 'warning', shape: 'quarter', word: 'Slow' },
  stuck: { tone: 'bad', shape: 'cross', word: 'Stuck' },
  refusing: { tone: 'bad', shape: 'cross', word: 'Refusing' },
  unreachable: { tone: 'bad', shape: 'cross', word: 'Unreachable' },
  'wrong-certificate': { tone: 'bad', shape: 'key', word: 'Wrong certificate' },
  'old-certificate': { tone: 'bad', shape: 'key', word: 'Old certificate' },
  starting: { tone: 'warning', shape: 'pending', word: 'Starting' },
  database: { tone: 'warning', shape: 'alert', word: 'No database' },
  unauthorized: { tone: 'bad', shape: 'key', word: 'Refuses console' },
}

const standingStates: Record<Standing, State> = {
  healthy: { tone: 'good', shape: 'check', word: 'Healthy' },
  probation: { tone: 'info', shape: 'rising', word: 'Recovering' },
  unknown: { tone: 'unknown', shape: 'question', word: 'Unknown' },
  suspect: { tone: 'warning', shape: 'alert', word: 'Suspect' },
  degraded: { tone: 'warning', shape: 'alert', word: 'Degraded' },
  ejected: { tone: 'bad', shape: 'cross', word: 'No answer' },
  untrusted: symptomStates['wrong-certificate'],
}

const reportedStates: Readonly<Record<string, State>> = {
  Evacuated: { tone: 'info', shape: 'leave', word: 'Evacuated' },
  Evacuating: { tone: 'info', shape: 'leave', word: 'Evacuating' },
  Restoring: { tone: 'info', shape: 'rising', word: 'Restoring' },
  Blocked: { tone: 'warning', shape: 'alert', word: 'Blocked' },
}

export function stateOf(member: MemberNow): State {
  if (member.notContacted !== null) return { tone: 'unknown', shape: 'question', word: 'Not contacted' }
  if (member.health.standing === 'healthy') {
    return reportedStates[member.reported.value?.status ?? ''] ?? standingStates.healthy
  }
  return stateOfHealth(member.health)
}

/** What this console measures alone, now or at another time. */
export function stateOfHealth({ standing, symptom }: { standing: Standing; symptom: Symptom | null }): State {
  if (standing === 'healthy' || symptom === null) return standingStates[standing]
  return symptomStates[symptom]
}

/** The piece of a 24 h strip, or any place where only the standing is known. */
export function toneOfStanding(standing: Standing | null): Tone {
  return standing === null ? 'unknown' : standing === 'probation' ? 'warning' : standingStates[standing].tone
}

/** Whether what the cluster says and what this console measures cannot both be true. */
export function differs(member: MemberNow): boolean {
  const status = member.reported.value?.status
  if (status === undefined || member.notContacted !== null) return false
  const { standing, symptom } = member.health
  if (status === 'Offline') return isAnswering(standing) || symptom === 'slow'
  return isSilent(member) || standing === 'untrusted'
}

/** It gives no answer, so nothing that goes through it alone can work. */
export function isSilent({ health: { standing, symptom } }: Pick<Member, 'health'>): boolean {
  return standing === 'ejected' || symptom === 'stuck' || symptom === 'refusing' || symptom === 'unreachable'
}

/** Whether requests may enter the cluster through it. */
export function isUsable(member: Pick<Member, 'health' | 'notContacted'>): boolean {
  return member.notContacted === null && member.health.standing !== 'untrusted' && !isSilent(member)
}

/** Whether a person should look at it. */
export function needsAttention(member: MemberNow): boolean {
  const { tone } = stateOf(member)
  return tone === 'bad' || tone === 'warning' || differs(member)
}

/** "server3 is stuck" */
export function headlineOf(member: MemberNow): string {
  const { name, health, notContacted } = member
  if (notContacted !== null) return `${name} is not contacted`
  switch (health.symptom) {
    case 'slow':
      return `${name} is slow`
    case 'stuck':
      return `${name} is stuck`
    case 'refusing':
      return `${name} refuses connections`
    case 'unreachable':
      return `${name} is unreachable`
    case 'wrong-certificate':
      return `${name} presents a wrong certificate`
    case 'old-certificate':
      return `${name} presents an old certificate`
    case 'starting':
      return `${name} is starting`
    case 'database':
      return `${name} has lost the cluster database`
    case 'unauthorized':
      return `${name} refuses this console`
    case null:
      return headlineOfStanding(member)
  }
}

function headlineOfStanding(member: MemberNow): string {
  const { name } = member
  switch (member.health.standing) {
    case 'healthy':
      return member.reported.value?.status === 'Offline'
        ? `${name} answers, but the cluster calls it Offline`
        : `${name} is ${stateOf(member).word.toLowerCase()}`
    case 'probation':
      return `${name} answers again`
    case 'suspect':
      return `${name} did not answer its last question`
    case 'degraded':
      return `${name} has lost the cluster database`
    case 'ejected':
      return `${name} does not answer`
    case 'untrusted':
      return `${name} presents a wrong certificate`
    case 'unknown':
      return `${name} has not been measured yet`
  }
}

/** The rest of the sentence: what it does, since when, and where the cluster disagrees. */
export function explain(member: MemberNow, now: number, offlineThresholdSeconds: number | null): string {
  if (member.notContacted !== null) return member.notContacted
  const does = whatItDoes(member, now)
  const status = member.reported.value?.status
  if (!differs(member) || status === undefined || status === 'Offline') return does
  const until = calledOnlineUntil(member, now, offlineThresholdSeconds)
  const about = until === null ? '' : `, until about ${formatClock(new Date(until).toISOString())}`
  return `${does} The cluster still calls it ${status}${about}.`
}

/**
 * Until about when the cluster goes on calling a silent server Online; null where that cannot be told or has passed.
 * The cluster counts from the last heartbeat, which the server took at most shortly before its last answer.
 */
export function calledOnlineUntil(
  member: MemberNow,
  now: number,
  offlineThresholdSeconds: number | null,
): number | null {
  const { answeredAt } = member.health
  if (offlineThresholdSeconds === null || answeredAt === null) return null
  if (!isSilent(member) || member.reported.value?.status !== 'Online') return null
  const until = Date.parse(answeredAt) + offlineThresholdSeconds * 1000
  return until > now ? until : null
}

function whatItDoes(member: MemberNow, now: number): string {
  const { health, reported } = member
  const silent = formatDuration(now - Date.parse(health.answeredAt ?? health.since))
  const since = formatDuration(now - Date.parse(health.since))
  const ever = health.answeredAt !== null
  switch (health.symptom) {
    case 'stuck':
      return `It accepts connections but has not answered ${ever ? `for ${silent}` : 'yet'}.`
    case 'refusing':
      return `The machine is there, but nothing listens: Incus is not running on it. Last answer ${ever ? `${silent} ago` : 'never'}.`
    case 'unreachable':
      return `No connection can be made to it. The machine or its network is gone. Last answer ${ever ? `${silent} ago` : 'never'}.`
    case 'slow':
      return health.answerMs === null
        ? `Its slower answers take much longer than the others', for ${since}. Requests prefer the others.`
        : `Its slower answers take much longer than the others' (median ${formatMs(health.answerMs)}), for ${since}. Requests prefer the others.`
    case 'wrong-certificate':
      return 'What answers at its address is not known to be a server of this cluster, so nothing is sent to it.'
    case 'old-certificate':
      return `${health.failure?.message ?? 'It presents another certificate than the cluster has.'} It is asked last.`
    case 'starting':
      return `Incus is starting on it and does not answer requests yet, for ${since}.`
    case 'database':
      return `It answers, but the cluster database behind it does not, for ${since}. It is asked last.`
    case 'unauthorized':
      return `It does not accept this console's identity, or cannot check people's tokens, for ${since}.`
    case null:
      break
  }
  switch (health.standing) {
    case 'ejected':
      return ever ? `It has not answered for ${silent}.` : 'It has never answered this console.'
    case 'suspect':
      return `It has not answered for ${silent}. Requests prefer the others until it does.`
    case 'degraded':
      return `It answers, but not with what is in the cluster database, for ${since}. It is asked last.`
    case 'probation':
      return `It takes a growing share of requests until it has proven itself.`
    case 'untrusted':
      return 'What answers at its address is not known to be a server of this cluster, so nothing is sent to it.'
    case 'unknown':
      return 'The first probes are on their way.'
    case 'healthy':
      return whatTheClusterSays(reported.value?.status, reported.value?.message)
  }
}

function whatTheClusterSays(status: string | undefined, message: string | undefined): string {
  if (status === 'Evacuated') return 'It was taken out for maintenance; its instances are elsewhere or stopped.'
  if (status === 'Evacuating') return 'Its instances are leaving it now.'
  if (status === 'Restoring') return 'Its instances are coming back to it now.'
  if (status === 'Blocked') return 'It waits until all servers run the same version of Incus.'
  if (status === 'Offline') return `This console reaches it; the other servers do not hear it. ${message ?? ''}`.trim()
  return 'It answers in time.'
}

/** The column of answer times: what was measured, or since when there is nothing. */
export function answerText(member: MemberNow, now: number): string {
  const { answerMs, answeredAt, since } = member.health
  if (member.notContacted !== null) return '–'
  if (member.health.standing === 'untrusted') return 'not asked'
  if (isSilent(member)) return `no answer ${formatDuration(now - Date.parse(answeredAt ?? since))}`
  return answerMs === null ? 'measuring' : formatMs(answerMs)
}

const roleWords: Readonly<Record<string, string>> = {
  'database-leader': 'Leader',
  database: 'Voter',
  'database-standby': 'Standby',
  'event-hub': 'Event hub',
  'ovn-chassis': 'OVN chassis',
  'database-client': 'Database client',
}

/** Roles as people say them, the leader first; a leader's being a voter goes without saying. */
export function roleNames(roles: readonly string[]): readonly string[] {
  const shown = roles.includes('database-leader') ? roles.filter((role) => role !== 'database') : roles
  const order = Object.keys(roleWords)
  return shown.toSorted((a, b) => rank(order, a) - rank(order, b)).map((role) => roleWords[role] ?? role)
}

function rank(order: readonly string[], role: string): number {
  const index = order.indexOf(role)
  return index < 0 ? order.length : index
}

/** The address without the port everybody uses. */
export function shortAddress(address: string): string {
  return address.replace(/:8443$/, '')
}
