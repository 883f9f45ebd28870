import { z } from 'zod'
import { Standing, Symptom } from '../domain/health.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** One change of what this console believed, in the course of an incident. */
export const IncidentStep = z.object({
  at: Instant,
  standing: Standing,
  symptom: Symptom.nullable(),
  /** Why, where a question failed. */
  message: z.string().nullable(),
})
export type IncidentStep = z.infer<typeof IncidentStep>

/** One departure of a server from healthy, until it was healthy again for a while. */
export const IncidentSummary = z.object({
  id: z.string(),
  member: z.string(),
  /** When this console noticed. */
  beganAt: Instant,
  /** `found`: it was so when this console began to watch, so nobody knows since when. */
  beginning: z.enum(['seen', 'found']),
  /** Its last answer before that; null where it had never answered. */
  lastAnswerAt: Instant.nullable(),
  /**
   * Null while it goes on. `recovered`: healthy since `at`. `unseen`: it was over at some time between `from` and `at`,
   * while this console did not run. `left`: it is no longer a server of the cluster.
   */
  end: z
    .discriminatedUnion('how', [
      z.object({ how: z.literal('recovered'), at: Instant }),
      z.object({ how: z.literal('unseen'), from: Instant, at: Instant }),
      z.object({ how: z.literal('left'), at: Instant }),
    ])
    .nullable(),
  /** Healthy since then; the incident ends when it stays so. Null while it is not, and after the end. */
  quietSince: Instant.nullable(),
  /** What it is like now, and after its end what it was like for most of the time; null where that did not show. */
  symptom: Symptom.nullable(),
  worst: Standing,
  /** How often it departed from healthy again before the incident was over. */
  relapses: z.int(),
  /** For how long it was not healthy, as far as this console watched. */
  outMs: z.int(),
  /** What requests of people to the cluster had to do with it. */
  requests: z.object({
    /** All of them, through whichever server, while it went on. */
    total: z.int(),
    /** Answered by another server, because this one did not answer in time. */
    hedged: z.int(),
    /** Not answered at all. */
    failed: z.int(),
    /** Answered, but later than 300 ms after they were asked. */
    slowed: z.int(),
  }),
  /** What the cluster itself said of it. */
  cluster: z.object({
    /** What it called it when the incident began; null where this console could not read it. */
    atFirst: z.string().nullable(),
    /** When it first called it Offline, as this console read it. */
    offlineAt: Instant.nullable(),
    /** When it called it Online again after that. */
    onlineAt: Instant.nullable(),
  }),
  /** Most servers were out at the same time: as likely as their fault is that of this console's own way to them. */
  panic: z.boolean().default(false),
  /** When nobody watched, in its course. */
  gaps: z.array(z.object({ from: Instant, to: Instant })),
})
export type IncidentSummary = z.infer<typeof IncidentSummary>

export const Incident = IncidentSummary.extend({
  /** Oldest first: the first and the latest changes. */
  steps: z.array(IncidentStep),
  /** How many changes between them are not kept. */
  stepsLeftOut: z.int(),
})
export type Incident = z.infer<typeof Incident>

export const listIncidents = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/incidents',
  summary: 'Departures of servers from healthy, newest first.',
  query: z.strictObject({
    member: z.string().optional(),
    /** `open`: only those that are not over, all of them. */
    state: z.enum(['all', 'open']).default('all'),
    /** Also those in which nothing but a doubt arose, which was gone within ten seconds and noticed by nobody. */
    doubts: z.enum(['true', 'false']).default('false'),
    /** Those that began before this instant: for the next page. */
    before: Instant.optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }),
  reply: z.object({
    incidents: z.array(IncidentSummary),
    /** Whether there are older ones. */
    more: z.boolean(),
    /** How many doubts are among the newest of them and not shown. */
    doubtsHidden: z.int(),
    /** Since when this console has kept incidents of this cluster. */
    since: Instant.nullable(),
  }),
})

export const getIncident = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/incidents/:incident',
  summary: 'One incident with its course.',
  reply: z.object({ incident: Incident }),
})
