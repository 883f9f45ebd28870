import { z } from 'zod'
import { ProbePhase, Standing, Symptom } from '../domain/health.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** How far back a record is asked for. */
export const healthRanges = ['1h', '24h', '7d', '30d'] as const
export const HealthRange = z.enum(healthRanges)
export type HealthRange = z.infer<typeof HealthRange>

const State = z.object({ standing: Standing, symptom: Symptom.nullable() })

/** Something that changed about one server. `before` is null for what was learned first. */
export const MemberChange = z.discriminatedUnion('kind', [
  /** What this console believes of it, and the failure that this follows from. */
  z.object({
    kind: z.literal('standing'),
    at: Instant,
    before: State.nullable(),
    after: State,
    reason: z.object({ phase: ProbePhase, message: z.string() }).nullable(),
  }),
  /** What the cluster calls it: Online, Offline, Evacuated, … */
  z.object({ kind: z.literal('reported'), at: Instant, before: z.string().nullable(), after: z.string() }),
  /** The fingerprint of the certificate it presents. */
  z.object({ kind: z.literal('certificate'), at: Instant, before: z.string().nullable(), after: z.string() }),
  /** It is no longer a server of the cluster. */
  z.object({ kind: z.literal('left'), at: Instant }),
])
export type MemberChange = z.infer<typeof MemberChange>

/** One value for each piece of time, oldest first; null where there is none. */
const values = z.array(z.number().nullable())

/** What is timed: `answer` is the first byte of `GET /1.0`; `database` is that of a question to the cluster database. */
export const measures = ['connect', 'tls', 'answer', 'database'] as const
export type Measure = (typeof measures)[number]

/** Where a question failed: the phase of a light or cold probe, or `database` for a deep one. */
export const ProbeFault = z.enum([...ProbePhase.options, 'database'])
export type ProbeFault = z.infer<typeof ProbeFault>

/** Of one measure over the whole range, in milliseconds, right to three per cent; `slowest` is exact. */
export const AnswerPercentiles = z.object({
  measure: z.enum(measures),
  count: z.int(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  slowest: z.number().nullable(),
})
export type AnswerPercentiles = z.infer<typeof AnswerPercentiles>

/**
 * What was measured of one server over a time: at most 500 pieces of `pieceMs`, from `from` on. A piece in which nobody
 * asked has 0 in `asked` and null everywhere else.
 */
export const MemberHealthRecord = z.object({
  range: HealthRange,
  from: Instant,
  to: Instant,
  pieceMs: z.int(),
  /** Milliseconds to the first byte. */
  answer: z.object({ p50: values, p95: values, p99: values, slowest: values }),
  /** Medians, in milliseconds. */
  connect: values,
  tls: values,
  database: values,
  /** Light and cold probes, and how many of them failed. */
  asked: z.array(z.int()),
  failed: z.array(z.int()),
  /** The worst standing in each piece. */
  standings: z.array(Standing.nullable()),
  percentiles: z.array(AnswerPercentiles),
  failures: z.array(z.object({ fault: ProbeFault, count: z.int() })),
  /** The newest changes in the range, newest first. */
  changes: z.array(MemberChange),
  /** How many older ones in the range are not among them. */
  changesLeftOut: z.int(),
  /** Set when it changed so often that older changes had to go before their time: from when on they are all there. */
  changesSince: Instant.nullable(),
  /** One of each piece in which something changed, the gravest. */
  marks: z.array(MemberChange),
  /** When this console did not watch. */
  gaps: z.array(z.object({ from: Instant, to: Instant })),
})
export type MemberHealthRecord = z.infer<typeof MemberHealthRecord>

export const getMemberHealth = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/members/:member/health',
  summary: 'What probes showed of one server, by phase, and every change of its standing, for up to 30 days.',
  query: z.strictObject({ range: HealthRange.default('24h') }),
  reply: z.object({ record: MemberHealthRecord }),
})
