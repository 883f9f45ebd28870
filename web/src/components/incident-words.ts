import type { Incident, IncidentSummary } from '@malleus/shared/api/incidents.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import type { Tone } from '../ui/StateMark.tsx'
import { formatClock, formatDuration, formatFull } from '../lib/time.ts'
import { stateOfHealth, type State } from './member-words.ts'

/** What is said of incidents. */

/** How bad it was, or is: the badge of an incident. */
export function stateOfIncident({ worst, symptom }: Pick<IncidentSummary, 'worst' | 'symptom'>): State {
  return stateOfHealth({ standing: worst, symptom })
}

/** "server3 was stuck for 41 s" */
export function incidentTitle(incident: IncidentSummary, now: number): string {
  const { member, end, worst, symptom } = incident
  const lasted = lengthOf(incident, now)
  const verb = end === null ? 'has been' : 'was'
  return `${member} ${verb} ${whatItWas(worst, symptom)}${lasted === null ? '' : ` for ${formatDuration(lasted)}`}`
}

const symptomWords: Readonly<Record<Symptom, string>> = {
  slow: 'slow',
  stuck: 'stuck',
  refusing: 'refusing connections',
  unreachable: 'unreachable',
  'wrong-certificate': 'presenting a wrong certificate',
  'old-certificate': 'presenting an old certificate',
  starting: 'starting',
  database: 'cut off from the cluster database',
  unauthorized: 'refusing this console',
}

function whatItWas(worst: Standing, symptom: Symptom | null): string {
  if (symptom !== null) return symptomWords[symptom]
  return worst === 'suspect' || worst === 'probation' ? 'in doubt' : 'without an answer'
}

/** From its beginning to its end, or until now; null where nobody saw one of them. */
export function lengthOf({ beganAt, end, quietSince }: IncidentSummary, now: number): number | null {
  if (end?.how === 'unseen') return null
  const until = end === null ? (quietSince === null ? now : Date.parse(quietSince)) : Date.parse(end.at)
  return Math.max(0, until - Date.parse(beganAt))
}

/** The column of how long it lasted. */
export function lengthText(incident: IncidentSummary, now: number): string {
  const { end, quietSince, beginning } = incident
  const lasted = lengthOf(incident, now)
  if (lasted === null) return 'not known'
  const atLeast = beginning === 'found' ? 'at least ' : ''
  if (end !== null) return `${atLeast}${formatDuration(lasted)}`
  return `${atLeast}${formatDuration(lasted)}${quietSince === null ? ', going on' : ', healthy again'}`
}

/** What requests of people had to do with it, in a sentence. */
export function whatPeopleNoticed({ requests, end }: Pick<IncidentSummary, 'requests' | 'end'>): string {
  const { total, hedged, failed, slowed } = requests
  if (total === 0)
    return end === null ? 'Nobody has asked for anything yet.' : 'Nobody asked for anything in that time.'
  const parts = [
    failed > 0 ? `${failed} got no answer` : null,
    slowed > 0 ? `${slowed} took longer than 300 ms` : null,
    hedged > 0 ? `${hedged} ${hedged === 1 ? 'was' : 'were'} answered by another server instead` : null,
  ].filter((part) => part !== null)
  const of = `Of ${total} ${total === 1 ? 'request' : 'requests'}`
  if (parts.length === 0) return `${of}, each was answered, and none late.`
  if (failed === 0 && slowed === 0) return `${of}, each was answered, and none late; ${parts.join(', ')}.`
  return `${of}, ${joined(parts)}.`
}

/** The same in a table: what went wrong, and nothing where nothing did. */
export function noticedText({ total, hedged, failed, slowed }: IncidentSummary['requests']): string {
  if (total === 0) return 'nobody asked'
  const parts = [
    failed > 0 ? `${failed} unanswered` : null,
    slowed > 0 ? `${slowed} late` : null,
    hedged > 0 ? `${hedged} hedged` : null,
  ].filter((part) => part !== null)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

export function toneOfRequests({ failed, slowed }: IncidentSummary['requests']): Tone | null {
  if (failed > 0) return 'bad'
  return slowed > 0 ? 'warning' : null
}

/** When the cluster itself noticed, in a sentence. */
export function whenTheClusterNoticed(
  incident: Pick<IncidentSummary, 'cluster' | 'beganAt' | 'end' | 'member'>,
): string {
  const { cluster, beganAt, end, member } = incident
  const { atFirst, offlineAt, onlineAt } = cluster
  if (atFirst === null && offlineAt === null) return 'What the cluster said of it, this console could not read.'
  if (offlineAt === null) {
    if (atFirst === 'Offline') {
      const again = onlineAt === null ? '' : ` It calls it Online again since ${formatClock(onlineAt)}.`
      return `The cluster called ${member} Offline already.${again}`
    }
    return end === null
      ? `The cluster has not noticed yet: it calls ${member} ${atFirst}.`
      : `The cluster never noticed: it called ${member} ${atFirst} all the time.`
  }
  const after = formatDuration(Date.parse(offlineAt) - Date.parse(beganAt))
  const noticed = `The cluster called it Offline ${after} after this console noticed`
  if (onlineAt === null) return end === null ? `${noticed}.` : `${noticed}, and was not seen to call it Online again.`
  if (end?.how !== 'recovered') return `${noticed}, and Online again at ${formatClock(onlineAt)}.`
  const lateMs = Date.parse(onlineAt) - Date.parse(end.at)
  return lateMs < 1_000
    ? `${noticed}, and Online again by the time it answered.`
    : `${noticed}, and Online again ${formatDuration(lateMs)} after it answered.`
}

/** The same in a table. */
export function clusterText({ cluster, beganAt, end }: IncidentSummary): string {
  const { atFirst, offlineAt } = cluster
  if (offlineAt !== null) return `after ${formatDuration(Date.parse(offlineAt) - Date.parse(beganAt))}`
  if (atFirst === null) return 'not known'
  if (atFirst === 'Offline') return 'before'
  return end === null ? 'not yet' : 'never'
}

/** What else may be behind it; null where nothing speaks for that. */
export function whatElse({ panic }: Pick<IncidentSummary, 'panic'>): string | null {
  return panic
    ? 'Most servers were out at the same time: it may have been the network between this console and the cluster.'
    : null
}

/** How it ended, in a sentence; what it waits for while it has not. */
export function howItEnded({ end, quietSince, member, worst }: IncidentSummary): string {
  if (end === null) {
    return quietSince === null
      ? 'It goes on.'
      : `${member} is healthy again since ${formatClock(quietSince)}. It is over when that lasts for 30 s.`
  }
  switch (end.how) {
    case 'recovered':
      return worst === 'suspect'
        ? 'The doubt was gone, and did not come back.'
        : `${member} was healthy again, and stayed so.`
    case 'unseen':
      return `It was over at some time between ${formatFull(end.from)} and ${formatFull(end.at)}, while this console did not run.`
    case 'left':
      return `${member} was taken out of the cluster.`
  }
}

/** One line of the course of an incident. */
export interface CourseLine {
  readonly at: string
  readonly tone: Tone
  readonly shape: State['shape']
  /** What happened. */
  readonly headline: string
  /** Why, or what it means. */
  readonly text: string | null
}

/** The course of an incident: what the console noticed and when, what the cluster said, and what nobody saw. */
export function courseOf(incident: Incident): readonly CourseLine[] {
  const { steps, stepsLeftOut, cluster, gaps, end, lastAnswerAt, beginning, beganAt, member } = incident
  const lines: CourseLine[] = steps.map((step, number) => ({
    at: step.at,
    ...markOf(stateOfHealth(step)),
    headline: number === 0 ? firstHeadline(beginning, step) : stepHeadline(step),
    // Why it failed before is no reason for being well, or on the way to it.
    text: step.standing === 'healthy' || step.standing === 'probation' ? null : step.message,
  }))
  if (stepsLeftOut > 0) {
    const at = steps[firstSteps]?.at ?? beganAt
    const headline = `${stepsLeftOut} changes in between are not kept`
    lines.push({ at, tone: 'unknown', shape: 'none', headline, text: 'It came and went too often.' })
  }
  if (lastAnswerAt !== null && beginning === 'seen') {
    const early = Math.min(Date.parse(lastAnswerAt), Date.parse(beganAt))
    const at = new Date(early).toISOString()
    lines.push({
      at,
      tone: 'unknown',
      shape: 'none',
      headline: `${member} gave its last answer before that`,
      text: null,
    })
  }
  if (cluster.offlineAt !== null) {
    const text = `${formatDuration(Date.parse(cluster.offlineAt) - Date.parse(beganAt))} after this console noticed.`
    lines.push({ at: cluster.offlineAt, tone: 'info', shape: 'info', headline: 'The cluster called it Offline', text })
  }
  if (cluster.onlineAt !== null) {
    const headline = 'The cluster called it Online again'
    lines.push({ at: cluster.onlineAt, tone: 'info', shape: 'info', headline, text: null })
  }
  for (const { from, to } of gaps) {
    const text = `For ${formatDuration(Date.parse(to) - Date.parse(from))}, until ${formatClock(to)}, nobody watched.`
    lines.push({ at: from, tone: 'unknown', shape: 'question', headline: 'This console did not run', text })
  }
  if (end !== null && end.how !== 'recovered') {
    lines.push({ at: end.at, tone: 'unknown', shape: 'question', headline: 'It was over', text: howItEnded(incident) })
  }
  return lines.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/** So many steps are kept from the beginning, where some in between had to go. */
const firstSteps = 20

function markOf({ tone, shape }: State): Pick<CourseLine, 'tone' | 'shape'> {
  return { tone, shape }
}

function firstHeadline(beginning: Incident['beginning'], step: Incident['steps'][number]): string {
  const what = stepHeadline(step)
  return beginning === 'found'
    ? `This console began to watch, and found it so: ${what.charAt(0).toLowerCase()}${what.slice(1)}`
    : `This console noticed: ${what.charAt(0).toLowerCase()}${what.slice(1)}`
}

function stepHeadline({ standing, symptom }: Incident['steps'][number]): string {
  switch (standing) {
    case 'healthy':
      return 'Healthy again'
    case 'probation':
      return 'It answers again, and has to prove itself'
    case 'suspect':
      return symptom === null ? 'A question was not answered' : `In doubt: ${symptomWords[symptom]}`
    case 'ejected':
      return symptom === null ? 'It does not answer' : `Passed over: ${symptomWords[symptom]}`
    case 'degraded':
      return symptom === null ? 'It is asked last' : `Asked last: ${symptomWords[symptom]}`
    case 'untrusted':
      return 'Sent nothing: it presents a wrong certificate'
    case 'unknown':
      return 'Nothing is known of it'
  }
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`
}
