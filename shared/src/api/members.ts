import { z } from 'zod'
import { Health } from './health.ts'
import { endpoint } from './endpoint.ts'
import { Instant, known } from './freshness.ts'
import { Operation } from './operations.ts'

/** What the cluster says of a member, in its own words (`GET /1.0/cluster/members`). */
export const Reported = z.object({
  /** Online, Offline, Evacuated, Blocked; Evacuating and Restoring where the version has them. Kept as Incus says it. */
  status: z.string(),
  message: z.string(),
  /** database, database-leader, database-standby, event-hub, ovn-chassis, … */
  roles: z.array(z.string()),
  groups: z.array(z.string()),
  failureDomain: z.string(),
  architecture: z.string(),
  description: z.string(),
  /** Whether it takes part in the cluster database. */
  database: z.boolean(),
})
export type Reported = z.infer<typeof Reported>

/** The certificate a member showed in the last handshake the console made with it. */
export const Presented = z.object({
  fingerprint: z.string(),
  expiresAt: Instant,
  seenAt: Instant,
  /** `same` as the pinned one; `next` the announced successor; `trusted` by the configured authority; `unknown` else. */
  verdict: z.enum(['same', 'next', 'trusted', 'expired', 'unknown']),
})
export type Presented = z.infer<typeof Presented>

export const Load = z.object({ average1: z.number(), average5: z.number(), average15: z.number(), cores: z.int() })
export const Memory = z.object({ usedBytes: z.number(), totalBytes: z.number() })
export const PoolSpace = z.object({ name: z.string(), usedBytes: z.number(), totalBytes: z.number() })

/** One server: what the cluster reports, and beside it what this console observes. */
export const Member = z.object({
  name: z.string(),
  /** host:port where the console reaches it. */
  address: z.string(),
  /** Set when the console does not contact it, in words: its address is outside the allowed networks. */
  notContacted: z.string().nullable(),
  reported: known(Reported),
  health: Health,
  presented: Presented.nullable(),
  load: known(Load),
  memory: known(Memory),
  instances: known(z.object({ count: z.int() })),
})
export type Member = z.infer<typeof Member>

/** One timed question, with how long each phase took; a phase that was not reached is null. */
export const ProbeRecord = z.object({
  at: Instant,
  kind: z.enum(['light', 'cold', 'deep']),
  connectMs: z.number().nullable(),
  tlsMs: z.number().nullable(),
  firstByteMs: z.number().nullable(),
  /** Null when it succeeded. */
  failure: z.object({ phase: z.string(), message: z.string() }).nullable(),
})
export type ProbeRecord = z.infer<typeof ProbeRecord>

export const MemberDetail = Member.extend({
  version: known(z.string()),
  uptimeSeconds: known(z.number()),
  /** How far its clock is ahead of the console's, in milliseconds; measured from the Date header. */
  clockSkewMs: known(z.number()),
  pools: known(z.array(PoolSpace)),
  /** The most recent probes, newest first. */
  probes: z.array(ProbeRecord),
})
export type MemberDetail = z.infer<typeof MemberDetail>

export const evacuationModes = ['', 'auto', 'migrate', 'live-migrate', 'stop', 'stateful-stop', 'force-stop'] as const
export const restoreModes = ['', 'skip'] as const

/** Every server of the cluster: what it reports, and what this console observes of it. */
export const listMembers = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/members',
  summary: 'Every server of the cluster: what the cluster reports of it and what this console measures.',
  reply: z.object({
    members: z.array(Member),
    /** Names of the cluster groups with their members, for the target picker. */
    groups: z.array(z.object({ name: z.string(), members: z.array(z.string()) })),
    /** How evacuation and restore can be done on this version of Incus. */
    modes: z.object({ evacuate: z.array(z.enum(evacuationModes)), restore: z.array(z.enum(restoreModes)) }),
  }),
})

export const getMember = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/members/:member',
  summary: 'One server in detail, with its recent probes.',
  reply: z.object({ member: MemberDetail }),
})

/** Takes instances away from a server for maintenance, or brings them back. Not repeated once it was sent. */
export const changeMemberState = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/members/:member/state',
  summary: 'Evacuates or restores a server.',
  body: z.discriminatedUnion('action', [
    z.strictObject({ action: z.literal('evacuate'), mode: z.enum(evacuationModes).default('') }),
    z.strictObject({ action: z.literal('restore'), mode: z.enum(restoreModes).default('') }),
  ]),
  reply: z.object({ operation: Operation }),
})

/**
 * The last 24 hours of every server as 36 pieces of 40 minutes, oldest first: the worst standing seen in each, null
 * where the console was not running.
 */
export const getHealthHistory = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/health-history',
  summary: 'The worst standing of each server in each 40 minutes of the last 24 hours.',
  reply: z.object({
    from: Instant,
    pieceMs: z.int(),
    members: z.record(z.string(), z.array(Health.shape.standing.nullable())),
  }),
})
