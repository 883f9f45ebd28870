/**
 * When an incident begins, what belongs to it, and when it is over. Pure: no time, disk or network of its own.
 *
 * Decision, 2026-11-22: each departure from healthy is an incident, at once, whatever it turns out to be, and it is over
 * when the member has been healthy for thirty seconds. So a member that comes and goes has one incident and not fifty;
 * thirty seconds are three times the slow start, and longer than the cluster takes to hear a heartbeat again. Its end is
 * then told as the moment at which it became healthy, not thirty seconds later. What was nothing but a doubt, gone
 * within ten seconds and noticed by nobody, is kept like any other and called a doubt, so that lists can leave it out.
 *
 * An incident survives the console. What goes on after a pause of up to fifteen minutes is the same incident, with a gap
 * in it; after a longer one nobody can say so, and it counts as another. If the member is healthy when the console comes
 * back, the incident was over at some time in between, and that is what is said.
 */
import { Incident } from '@malleus/shared/api/incidents.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { badness, Symptom } from '@malleus/shared/domain/health.ts'
import { z } from 'zod'
import { instant } from '../lib/clock.ts'

/** Healthy for so long, and it is over. */
export const QUIET_MS = 30_000
/** A console that was away for longer does not go on with an incident. */
export const LONGEST_PAUSE_MS = 15 * 60_000
/** An answer that took longer is noticed: no read is to take as long, whatever fails. */
export const SLOWED_MS = 300

const DOUBT_MS = 10_000
const FIRST_STEPS = 20
const MOST_STEPS = 100

/** An incident as it is kept: what is told of it, and what that is counted from. */
export const KeptIncident = Incident.extend({
  /** Until when `outMs` and `symptomMs` are counted. */
  countedUntil: z.string(),
  /** For how long it was not healthy with each symptom. */
  symptomMs: z.partialRecord(Symptom, z.number()),
})
export type KeptIncident = z.infer<typeof KeptIncident>

/** What is believed of the member. */
export interface Believed {
  readonly standing: Standing
  readonly symptom: Symptom | null
  /** Why, where a question failed. */
  readonly message: string | null
}

/** A time in milliseconds since 1970. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Beginning {
  readonly id: string
  readonly member: string
  /** `found`: nothing was known of the member before. */
  readonly beginning: Incident['beginning']
  readonly believed: Believed
  /** Milliseconds since 1970. */
  readonly lastAnswerAt: number | null
  /** What the cluster calls it. */
  readonly reported: string | null
  /** Whether most members are out. */
  readonly panic: boolean
  readonly now: number
}

/** Whether a member that is believed to be so is in an incident. Of one that was not measured nothing is known. */
export function hasDeparted(standing: Standing): boolean {
  return standing !== 'healthy' && standing !== 'unknown'
}

export function beginIncident(given: Beginning): KeptIncident {
  const { id, member, beginning, believed, lastAnswerAt, reported, panic, now } = given
  const at = instant(now)
  return {
    id,
    member,
    beganAt: at,
    beginning,
    lastAnswerAt: lastAnswerAt === null ? null : instant(lastAnswerAt),
    end: null,
    quietSince: null,
    symptom: believed.symptom,
    worst: believed.standing,
    relapses: 0,
    outMs: 0,
    requests: { total: 0, hedged: 0, failed: 0, slowed: 0 },
    cluster: { atFirst: reported, offlineAt: null, onlineAt: null },
    panic,
    gaps: [],
    steps: [{ at, ...believed }],
    stepsLeftOut: 0,
    countedUntil: at,
    symptomMs: {},
  }
}

/** What is believed of the member has changed. */
export function continueIncident(incident: KeptIncident, believed: Believed, now: number): KeptIncident {
  const { standing } = believed
  const last = incident.steps.at(-1)
  if (standing === 'unknown' || (last?.standing === standing && last.symptom === believed.symptom)) return incident
  const counted = countUntil(incident, now)
  const isQuiet = !hasDeparted(standing)
  const relapsed = incident.quietSince !== null && !isQuiet
  const worst = badness(standing) > badness(counted.worst) ? standing : counted.worst
  return withSymptom({
    ...withStep(counted, { at: instant(now), ...believed }),
    worst,
    relapses: counted.relapses + Number(relapsed),
    quietSince: isQuiet ? (counted.quietSince ?? instant(now)) : null,
  })
}

/** It has been healthy for long enough: it was over when that began. */
export function endIncident(incident: KeptIncident): KeptIncident {
  const at = incident.quietSince ?? incident.countedUntil
  return withSymptom({ ...incident, quietSince: null, end: { how: 'recovered', at } })
}

/** The member is no longer one of the cluster. */
export function endByLeaving(incident: KeptIncident, now: number): KeptIncident {
  return withSymptom({ ...countUntil(incident, now), quietSince: null, end: { how: 'left', at: instant(now) } })
}

/**
 * The console was away, and this is the first that is known of the member since.
 *
 * `over`: it ended meanwhile, or nobody can say that it did not; if the member is not healthy, that is another incident.
 */
export function resumeIncident(
  incident: KeptIncident,
  gap: Span,
  believed: Believed,
  now: number,
): { readonly kind: 'goes-on' | 'over'; readonly incident: KeptIncident } {
  const healthy = !hasDeparted(believed.standing)
  const watched = countUntil(incident, gap.from)
  // It was healthy when the console went and is healthy now: nothing speaks against what was seen.
  if (healthy && incident.quietSince !== null) return { kind: 'over', incident: endIncident(incident) }
  if (healthy || gap.to - gap.from > LONGEST_PAUSE_MS) {
    const until = healthy ? now : gap.to
    const end = { how: 'unseen', from: instant(gap.from), at: instant(until) } as const
    return { kind: 'over', incident: withSymptom({ ...watched, quietSince: null, end }) }
  }
  const gaps = [...watched.gaps, { from: instant(gap.from), to: instant(gap.to) }]
  const resumed = { ...watched, gaps, countedUntil: instant(gap.to) }
  return { kind: 'goes-on', incident: continueIncident(resumed, believed, now) }
}

/** What the cluster says of the member now. Counts for an incident that is over too: the cluster hears of it later. */
export function noteReported(incident: KeptIncident, status: string, now: number): KeptIncident {
  const { atFirst, offlineAt, onlineAt } = incident.cluster
  const wasCalledOffline = offlineAt !== null || atFirst === 'Offline'
  if (status === 'Offline') {
    if (wasCalledOffline && onlineAt === null) return incident
    const cluster = { atFirst, offlineAt: offlineAt ?? instant(now), onlineAt: null }
    return incident.end === null ? { ...incident, cluster } : incident
  }
  if (!wasCalledOffline || onlineAt !== null) return incident
  return { ...incident, cluster: { atFirst, offlineAt, onlineAt: instant(now) } }
}

/** Whether it has ended for this console, and the cluster still calls the member Offline. */
export function awaitsCluster({ cluster }: KeptIncident): boolean {
  return cluster.onlineAt === null && (cluster.offlineAt !== null || cluster.atFirst === 'Offline')
}

/** How one request of a person went, as far as this member had to do with it. */
export interface RequestSeen {
  readonly answered: boolean
  /** Whether the member was to answer it and did not. */
  readonly silent: boolean
  /** Whether it was the member that answered. */
  readonly via: boolean
  readonly tookMs: number
}

export function noteRequest(incident: KeptIncident, { answered, silent, via, tookMs }: RequestSeen): KeptIncident {
  const { total, hedged, failed, slowed } = incident.requests
  return {
    ...incident,
    requests: {
      total: total + 1,
      hedged: hedged + Number(silent && answered),
      failed: failed + Number(silent && !answered),
      slowed: slowed + Number((silent || via) && answered && tookMs > SLOWED_MS),
    },
  }
}

/** The incident as it is told at this moment. */
export function viewOf(incident: KeptIncident, now: number): Incident {
  const { countedUntil: _, symptomMs: __, ...view } = incident.end === null ? countUntil(incident, now) : incident
  return view
}

/** Whether it was nothing but a doubt that nobody noticed. */
export function isDoubt({ end, worst, outMs, requests }: KeptIncident): boolean {
  return end !== null && worst === 'suspect' && outMs < DOUBT_MS && requests.failed === 0 && requests.slowed === 0
}

/** While it was healthy in between, nothing is counted. */
function countUntil(incident: KeptIncident, now: number): KeptIncident {
  const sinceMs = Math.max(0, now - Date.parse(incident.countedUntil))
  const counted = { ...incident, countedUntil: instant(now) }
  if (incident.quietSince !== null) return counted
  const symptom = incident.steps.at(-1)?.symptom ?? null
  const symptomMs = { ...incident.symptomMs }
  if (symptom !== null) symptomMs[symptom] = (symptomMs[symptom] ?? 0) + sinceMs
  return { ...counted, outMs: incident.outMs + sinceMs, symptomMs }
}

/** What it is like now; once that is over, what it was like for the longest time, of two the one that showed first. */
function withSymptom(incident: KeptIncident): KeptIncident {
  const now = incident.end === null ? incident.steps.at(-1)?.symptom : null
  if (now) return { ...incident, symptom: now }
  const shown = incident.steps.flatMap(({ symptom }) => (symptom === null ? [] : [symptom]))
  const lasted = (symptom: Symptom) => incident.symptomMs[symptom] ?? 0
  const symptom = shown.reduce<Symptom | null>(
    (longest, next) => (longest === null || lasted(next) > lasted(longest) ? next : longest),
    null,
  )
  return { ...incident, symptom: symptom ?? incident.symptom }
}

/** How it began stays, and the latest; of what is between, there may be too much. */
function withStep(incident: KeptIncident, step: Incident['steps'][number]): KeptIncident {
  const steps = [...incident.steps, step]
  if (steps.length <= MOST_STEPS) return { ...incident, steps }
  return { ...incident, steps: steps.toSpliced(FIRST_STEPS, 1), stepsLeftOut: incident.stepsLeftOut + 1 }
}
