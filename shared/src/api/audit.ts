import { z } from 'zod'
import { Action } from '../domain/action.ts'
import { Role } from '../domain/role.ts'
import { endpoint } from './endpoint.ts'
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

export const listAudit = endpoint({
  method: 'GET',
  path: '/audit',
  summary: 'The latest records of the access history, newest first.',
  query: z.strictObject({
    cluster: z.string().optional(),
    /** Changes, refusals and sign-ins only, unless reads are asked for too. */
    reads: z.enum(['true', 'false']).default('false'),
    member: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(200).default(20),
  }),
  reply: z.object({
    records: z.array(AuditRecord),
    /** The last time the chain was checked from its beginning, and whether it held. */
    verification: z
      .object({ ok: z.boolean(), at: Instant, records: z.int(), message: z.string().nullable() })
      .nullable(),
  }),
})
