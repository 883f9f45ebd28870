import { z } from 'zod'
import { Action } from '../domain/action.ts'
import { historyFields } from '../domain/history-filter.ts'
import { Role } from '../domain/role.ts'
import { endpoint, type ReplyOf } from './endpoint.ts'
import { Instant } from './freshness.ts'

/**
 * One line of the access history. `intent` is written before anything is done, `outcome` after; a refusal has only an
 * outcome. The hash covers every other field in canonical form (RFC 8785) and the hash of the record before it.
 */
export const AuditRecord = z.object({
  v: z.literal(1),
  /** One chain per start of a console replica. */
  chain: z.string(),
  /** Position in the chain, from 0. */
  seq: z.int(),
  ts: Instant,
  phase: z.enum(['genesis', 'intent', 'outcome', 'event', 'close']),
  /** `console`: done through here. `incus`: seen in the cluster's own events, however it came. */
  source: z.enum(['console', 'incus']),
  action: z.union([Action, z.string()]),
  cluster: z.string().nullable(),
  actor: z
    .object({
      iss: z.string().nullable(),
      sub: z.string().nullable(),
      name: z.string(),
      roles: z.array(Role),
      /** HMAC of the session id: the same session can be recognised, not used. */
      session: z.string().nullable(),
      authTime: z.int().nullable(),
      amr: z.array(z.string()),
      /** How it reached Incus, for `source: incus`: tls, oidc, unix, or empty. */
      protocol: z.string().nullable(),
    })
    .nullable(),
  src: z.object({ ip: z.string().nullable(), via: z.string().nullable() }),
  req: z
    .object({
      id: z.string(),
      method: z.string(),
      route: z.string(),
      path: z.string(),
      query: z.array(z.string()),
      project: z.string().nullable(),
      placement: z.string().nullable(),
      /** HMAC of the body: equal bodies can be recognised, not read. */
      body: z.string().nullable(),
      changed: z.array(z.string()),
      /** How many equal reads this line stands for. */
      count: z.int(),
    })
    .nullable(),
  /** The object it was done to, e.g. `server3`. */
  object: z.string().nullable(),
  up: z
    .object({
      via: z.string().nullable(),
      /** With whose authority this console asked; null for what did not go through it. */
      mode: z.enum(['bearer', 'certificate']).nullable(),
      attempts: z.int(),
      hedged: z.boolean(),
      incusUser: z.string().nullable(),
    })
    .nullable(),
  decision: z.object({ allow: z.boolean(), rule: z.string() }),
  out: z
    .object({
      status: z.int().nullable(),
      op: z.string().nullable(),
      opStatus: z.string().nullable(),
      bytes: z.int().nullable(),
      ms: z.number().nullable(),
      code: z.string().nullable(),
    })
    .nullable(),
  /** Of a gap: the time in which records are missing. Absent in all others, and part of the hash where it is there. */
  during: z.object({ from: Instant, to: Instant }).optional(),
  prev: z.string(),
  hash: z.string(),
})
export type AuditRecord = z.infer<typeof AuditRecord>

/** What every question to the access history says: what is looked for, and where. */
const question = {
  cluster: z.string().optional(),
  /** In the language of `history-filter.ts`. */
  filter: z.string().max(1_000).default(''),
  /** Changes, refusals and sign-ins only, unless reads are asked for too. */
  reads: z.enum(['true', 'false']).default('false'),
}

/** The last time the chain was checked from its beginning, and whether it held. */
const HistoryCheck = z
  .object({ ok: z.boolean(), at: Instant, records: z.int(), message: z.string().nullable() })
  .nullable()

export const listAudit = endpoint({
  method: 'GET',
  path: '/audit',
  summary: 'Records of the access history, newest first.',
  query: z.strictObject({
    ...question,
    member: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(200).default(20),
    /** Where to go on, as the answer before said. */
    cursor: z.string().max(100).optional(),
    order: z.enum(['newest', 'oldest']).default('newest'),
  }),
  reply: z.object({
    records: z.array(AuditRecord),
    verification: HistoryCheck,
    /** Null when there is nothing more. */
    next: z.string().nullable(),
    /** Up to when it was looked, where the page is not full and there is more: ask on. */
    searchedTo: Instant.nullable(),
    tookMs: z.number(),
  }),
})

export const HistoryBar = z.object({
  at: Instant,
  records: z.int(),
  refused: z.int(),
  /** Also those of which nobody knows how they went. */
  failed: z.int(),
})
export type HistoryBar = z.infer<typeof HistoryBar>

export const countAudit = endpoint({
  method: 'GET',
  path: '/audit/histogram',
  summary: 'How many records of the access history there are over time, and when records are missing.',
  query: z.strictObject({
    ...question,
    /** Default: a day before the end. */
    from: Instant.optional(),
    /** To go on with an answer that is not complete: its `countedFrom`. Default: now. */
    to: Instant.optional(),
    bars: z.coerce.number().int().min(1).max(200).default(60),
  }),
  reply: z.object({
    barMs: z.int(),
    bars: z.array(HistoryBar),
    /** Bars before this are not counted yet; null when all are. */
    countedFrom: Instant.nullable(),
    /** When a server was not listened to: records may be missing. */
    gaps: z.array(z.object({ from: Instant, to: Instant, member: z.string().nullable() })),
  }),
})

export const listAuditValues = endpoint({
  method: 'GET',
  path: '/audit/values',
  summary: 'What records of the access history say for a field, to complete what somebody begins to write.',
  query: z.strictObject({
    cluster: z.string().optional(),
    field: z.enum(historyFields).default('who'),
    begins: z.string().max(200).default(''),
  }),
  reply: z.object({ values: z.array(z.string()) }),
})

export const getAuditRecord = endpoint({
  method: 'GET',
  path: '/audit/:chain/:seq',
  summary: 'One record of the access history as it is kept, with what belongs to it and whether it holds.',
  reply: z.object({
    record: AuditRecord,
    /** As it is kept, byte by byte. */
    text: z.string(),
    /** In the order of writing, over all chains. */
    position: z.int(),
    /** What was worked out just now, for this record. */
    checks: z.object({
      /** Its content has the hash that it says. */
      content: z.boolean(),
      /** It names the record before it in its chain, or, as the first, the end of a chain. */
      before: z.boolean(),
      /** The record after it names it; null when there is none yet. */
      after: z.boolean().nullable(),
    }),
    verification: HistoryCheck,
    /** All that belongs to the same deed, oldest first. */
    parts: z.array(AuditRecord),
    /** What the same session, or the same person, did before and after, oldest first. */
    around: z.array(AuditRecord),
  }),
})

export const getHistorySources = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/history-sources',
  summary:
    'From where the access history hears what does not come through this console, and what it does not hear now.',
  reply: z.object({
    requests: z.object({
      /** Why the request log is not read at all; null while it is. */
      off: z.string().nullable(),
      servers: z.array(
        z.object({
          member: z.string(),
          isRead: z.boolean(),
          /** Lines of its log, of which a few are requests. */
          linesPerSecond: z.int(),
          /** Why it is not read; null while it is, or is about to be. */
          reason: z.string().nullable(),
        }),
      ),
    }),
    /** What is not heard now: a server's requests, or with null the events of the cluster. */
    deaf: z.array(z.object({ member: z.string().nullable(), since: Instant, reason: z.string() })),
  }),
})
export type HistorySources = ReplyOf<typeof getHistorySources>
