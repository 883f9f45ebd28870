import { z } from 'zod'
import { Symptom } from '../domain/health.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'
import { FrontKind } from './fronts.ts'

/** A way into the cluster. `console`: this console itself, as people reach it. */
export const PathKind = z.enum(['dns', 'load-balancer', 'floating-ip', 'ecmp', 'member', 'local', 'console'])
export type PathKind = z.infer<typeof PathKind>

/** How bad something is. `info`: neither good nor bad, but one should know. `unknown`: not measured. */
export const CheckLevel = z.enum(['good', 'info', 'warning', 'bad', 'unknown'])
export type CheckLevel = z.infer<typeof CheckLevel>

/** One thing that was looked at, in words, and what to do where it is not well. */
export const PathCheck = z.object({
  id: z.string(),
  level: CheckLevel,
  text: z.string(),
  /** What was seen, and how to mend it. */
  fix: z.object({ text: z.string() }).nullable(),
})
export type PathCheck = z.infer<typeof PathCheck>

/** What clients may want to do through a path. */
export const PathUse = z.enum([
  'client-certificates',
  'oidc',
  'own-interface',
  'command-line',
  'websockets',
  'acme-http',
  'large-uploads',
])
export type PathUse = z.infer<typeof PathUse>

export const PathWork = z.object({ use: PathUse, works: z.enum(['yes', 'no', 'unknown']), text: z.string() })
export type PathWork = z.infer<typeof PathWork>

/** A server as it is reached through the path. */
export const PathServer = z.object({
  name: z.string(),
  address: z.string().nullable(),
  /** `on`: clients reach it through the path. `off`: they do not. `unknown`: that was not seen yet. */
  place: z.enum(['on', 'off', 'unknown']),
  /** What the last visit to it ended with; null where there was none that is known to have reached it. */
  answerMs: z.number().nullable(),
  symptom: Symptom.nullable(),
  /** Its part of the connections of the last minutes, of 1; null where nobody can tell. */
  share: z.number().nullable(),
  /** Why it stands as it does, in one or two words: `stuck`, `not in DNS`. */
  note: z.string().nullable(),
})
export type PathServer = z.infer<typeof PathServer>

/** How long new clients waited for their first answer while a server was in that state. */
export const FailureCost = z.object({
  failure: z.enum(['refusing', 'stuck', 'unreachable']),
  /** `measured`: in incidents on this path. `estimated`: what such paths cost usually. */
  from: z.enum(['measured', 'estimated']),
  medianMs: z.number().nullable(),
  worstMs: z.number().nullable(),
  /** Whether some did not get one at all in the time that was waited, which is then the worst. */
  unanswered: z.boolean(),
  /** How many clients, and the incidents they come from; empty for an estimate. */
  clients: z.int(),
  incidents: z.array(Instant),
})
export type FailureCost = z.infer<typeof FailureCost>

/** What an incident of a server did to new clients on the path. */
export const PathIncident = z.object({
  /** Of the server's own incident. */
  incident: z.string(),
  member: z.string(),
  symptom: Symptom.nullable(),
  beganAt: Instant,
  endedAt: Instant.nullable(),
  clients: z.int(),
  medianMs: z.number().nullable(),
  worstMs: z.number().nullable(),
  unanswered: z.boolean(),
  /** From the last answer of the server to the first answer after which no client was held up; null: nobody was, or they still are. */
  goodAfterMs: z.number().nullable(),
})
export type PathIncident = z.infer<typeof PathIncident>

export const AccessPath = z.object({
  name: z.string(),
  kind: PathKind,
  /** Where clients connect to: `incus.example.net:8443`, the path of a socket, or a URL. */
  target: z.string(),
  verdict: z.object({ level: CheckLevel, word: z.string(), text: z.string() }),
  probedAt: Instant.nullable(),
  /** What a name leads to; null for what is no name. */
  records: z
    .array(
      z.object({
        address: z.string(),
        /** Null where it did not come from DNS. */
        ttlSeconds: z.int().nullable(),
        member: z.string().nullable(),
        /** Why it is not probed, in words; null where it is. */
        reason: z.string().nullable(),
      }),
    )
    .nullable(),
  /** Where TLS ends: at a server, or before it. */
  tlsEnds: z.enum(['member', 'before', 'unknown']),
  servers: z.array(PathServer),
  checks: z.array(PathCheck),
  works: z.array(PathWork),
  firstAnswer: z.object({
    nowMs: z.number().nullable(),
    p50Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
    /** How many clients of the last hour these are of. */
    clients: z.int(),
    costs: z.array(FailureCost),
  }),
  /** Newest first. */
  incidents: z.array(PathIncident),
  /** What can be generated for it. */
  fronts: z.array(FrontKind),
})
export type AccessPath = z.infer<typeof AccessPath>

export const listAccessPaths = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/access-paths',
  summary: 'Ways into the cluster, with what was measured on each.',
  reply: z.object({ paths: z.array(AccessPath) }),
})
