// What an incident of a server did to the new clients of a path: pure.

import { PathIncident } from '@malleus/shared/api/access-paths.ts'
import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { z } from 'zod'
import type { Client } from './waiting-clients.ts'
import { quantile } from './waiting-clients.ts'

/** As it is kept: with the waits themselves, so that several incidents can be taken together. */
export const KeptPathIncident = PathIncident.extend({
  path: z.string(),
  waits: z.array(z.number()),
  /** When the server last answered before it, or was noticed. */
  faultAt: z.iso.datetime(),
  /** When the last client began that was held up; null where none was. */
  lastHeldAt: z.iso.datetime().nullable(),
})
export type KeptPathIncident = z.infer<typeof KeptPathIncident>

/** A client that waits for longer is held up. */
export const heldUpMs = 1_000

const mostWaits = 500

export function beginPathIncident(path: string, incident: IncidentSummary): KeptPathIncident {
  return {
    path,
    incident: incident.id,
    member: incident.member,
    symptom: incident.symptom,
    beganAt: incident.beganAt,
    endedAt: null,
    clients: 0,
    medianMs: null,
    worstMs: null,
    unanswered: false,
    goodAfterMs: null,
    waits: [],
    faultAt: incident.lastAnswerAt ?? incident.beganAt,
    lastHeldAt: null,
  }
}

/** Counts a client, if it began while it went on. */
export function withClient(incident: KeptPathIncident, { startedAt, waitedMs, answered }: Client): KeptPathIncident {
  const from = Date.parse(incident.faultAt)
  const until = incident.endedAt === null ? Infinity : Date.parse(incident.endedAt)
  if (startedAt < from || startedAt > until) return incident
  const waits = [...incident.waits, waitedMs].slice(-mostWaits)
  const isHeld = waitedMs > heldUpMs || !answered
  const goodAt = startedAt + waitedMs - from
  return {
    ...incident,
    clients: incident.clients + 1,
    waits,
    medianMs: quantile(waits, 0.5),
    worstMs: Math.max(incident.worstMs ?? 0, waitedMs),
    unanswered: incident.unanswered || !answered,
    lastHeldAt: isHeld ? later(incident.lastHeldAt, startedAt) : incident.lastHeldAt,
    goodAfterMs: isHeld ? Math.max(incident.goodAfterMs ?? 0, goodAt) : incident.goodAfterMs,
  }
}

/** As it is now, while some client still waits; null where none does. */
export function withWaiting(incident: KeptPathIncident, waitingMs: number | null): KeptPathIncident {
  if (incident.endedAt !== null || waitingMs === null || waitingMs < (incident.worstMs ?? heldUpMs)) return incident
  return {
    ...incident,
    clients: incident.clients + 1,
    worstMs: waitingMs,
    unanswered: true,
    waits: [...incident.waits, waitingMs],
  }
}

/** What is told of the server by now, and when it was well again. */
export function continuePathIncident(
  incident: KeptPathIncident,
  { symptom, quietSince, end }: IncidentSummary,
): KeptPathIncident {
  const endedAt = end?.at ?? quietSince
  if (symptom === incident.symptom && endedAt === incident.endedAt) return incident
  return { ...incident, symptom, endedAt }
}

/** Without what is only for counting. */
export function viewOf(incident: KeptPathIncident): PathIncident {
  return PathIncident.parse(incident)
}

function later(before: string | null, ms: number): string {
  return before !== null && Date.parse(before) > ms ? before : new Date(ms).toISOString()
}
