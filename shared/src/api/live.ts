import { z } from 'zod'
import { Health } from './health.ts'
import { Instant } from './freshness.ts'
import { Operation } from './operations.ts'

/**
 * Everything that can come down the live stream: facts in the past tense. The name of the SSE event is the `kind`, its
 * data is the JSON of the rest, and its id is `<epoch>-<seq>`, with which a broken stream can be continued.
 */
export const LiveEvent = z.discriminatedUnion('kind', [
  /** The stream cannot be continued exactly: read again what is on screen. Always the first event of a new stream. */
  z.object({ kind: z.literal('resync'), reason: z.string() }),
  /** Sent every two seconds, without an id, so that the page knows that it is current. */
  z.object({ kind: z.literal('heartbeat'), at: Instant }),
  /** This replica is stopping: connect again within the given time, at a random moment of it. */
  z.object({ kind: z.literal('goaway'), withinMs: z.int() }),
  /** The session ended; nothing more will come. */
  z.object({ kind: z.literal('session-ended'), reason: z.string() }),
  z.object({ kind: z.literal('member-health-changed'), cluster: z.string(), member: z.string(), health: Health }),
  /** Answer times, at most once a second. */
  z.object({
    kind: z.literal('answers-measured'),
    cluster: z.string(),
    at: Instant,
    members: z.record(z.string(), z.object({ answerMs: z.number().nullable(), answeredAt: Instant.nullable() })),
  }),
  /** Members were added, removed, renamed or edited, or what the cluster reports of them changed. */
  z.object({ kind: z.literal('members-changed'), cluster: z.string() }),
  z.object({ kind: z.literal('cluster-changed'), cluster: z.string() }),
  z.object({ kind: z.literal('certificate-changed'), cluster: z.string() }),
  z.object({ kind: z.literal('operation-changed'), cluster: z.string(), operation: Operation }),
  /** Something in the cluster changed: Incus's own lifecycle action and the path of its object. */
  z.object({
    kind: z.literal('resource-changed'),
    cluster: z.string(),
    action: z.string(),
    source: z.string(),
    project: z.string().nullable(),
    location: z.string().nullable(),
    at: Instant,
  }),
  /** The list of instances that this person sees would be another than before: ask what has changed. */
  z.object({ kind: z.literal('instances-changed'), cluster: z.string() }),
  /** An incident began, changed or ended: read it again. */
  z.object({ kind: z.literal('incident-changed'), cluster: z.string(), incident: z.string() }),
  /** Something is different about a way into the cluster: read them again. */
  z.object({ kind: z.literal('access-paths-changed'), cluster: z.string() }),
  /** There is something new in the list of events, or others are listened to: ask for what came. */
  z.object({ kind: z.literal('events-heard'), cluster: z.string() }),
  /** What happened in the cluster between these instants may be missing. */
  z.object({ kind: z.literal('events-missed'), cluster: z.string(), from: Instant, to: Instant, reason: z.string() }),
  /** What became of a change whose answer was lost. */
  z.object({
    kind: z.literal('outcome-found'),
    cluster: z.string(),
    requestId: z.string(),
    action: z.string(),
    object: z.string(),
    outcome: z.enum(['confirmed', 'not-applied', 'unknown']),
  }),
  z.object({ kind: z.literal('audit-appended'), cluster: z.string().nullable(), action: z.string() }),
])
export type LiveEvent = z.infer<typeof LiveEvent>
