import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** One thing that Incus told: what was done, or what background work is doing. Log lines are never among them. */
export const ClusterEvent = z.object({
  kind: z.literal('event'),
  /** Counts up without holes through events and gaps of one answer's epoch. */
  seq: z.int(),
  type: z.enum(['lifecycle', 'operation']),
  /** When it happened, by the clock of the server where it did. */
  at: Instant,
  /** When this console heard of it. */
  heardAt: Instant,
  /** The server where it happened; null on one that is not clustered. */
  location: z.string().nullable(),
  /** Null for what belongs to the cluster as a whole. */
  project: z.string().nullable(),
  /** Incus's name for what was done, e.g. `instance-started`; for background work `operation-` and its state. */
  action: z.string(),
  /** Path of the object, e.g. `/1.0/instances/web-1?project=shop`; null where it has none. */
  source: z.string().nullable(),
  /** What background work is, in Incus's words, e.g. "Creating instance"; null for the rest. */
  description: z.string().nullable(),
  /** Who did it, where Incus tells; always null for whoever may not read the access history. */
  who: z.object({ name: z.string(), protocol: z.string() }).nullable(),
  /** As Incus sent it, without tokens, secrets and values that may be one. */
  raw: z.record(z.string(), z.unknown()),
})
export type ClusterEvent = z.infer<typeof ClusterEvent>

/** A time in which events may have been missed. */
export const EventGap = z.object({
  kind: z.literal('gap'),
  seq: z.int(),
  from: Instant,
  to: Instant,
  reason: z.string(),
})
export type EventGap = z.infer<typeof EventGap>

export const EventEntry = z.discriminatedUnion('kind', [ClusterEvent, EventGap])
export type EventEntry = z.infer<typeof EventEntry>

/**
 * What happened lately in a cluster, as this console heard it with the authority of who asks. It listens from when the
 * person signed in, and keeps the last thousand; what was before is in the access history. `events-heard` in the live
 * stream tells when to ask again.
 */
export const listEvents = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/events',
  summary: 'What happened lately in the cluster, with the times in which something may have been missed.',
  query: z.strictObject({
    /** `position` of an earlier answer, to be told only what came after it. */
    after: z.string().max(64).optional(),
  }),
  reply: z.object({
    position: z.string(),
    /** Whether this follows the position that was asked for; else it is everything that is kept. */
    continues: z.boolean(),
    /** Oldest first. */
    entries: z.array(EventEntry),
    /** Since when this console listens. */
    since: Instant,
    /** The servers whose events are listened to; each tells those of all. */
    listening: z.array(z.string()),
    /** Since when none is, and what happens is missed; null while one is. */
    deafSince: Instant.nullable(),
  }),
})
