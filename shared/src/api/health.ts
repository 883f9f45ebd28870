import { z } from 'zod'
import { ProbePhase, Standing, Symptom } from '../domain/health.ts'
import { Instant } from './freshness.ts'

/** What this console observes of one member from where it stands. */
export const Health = z.object({
  standing: Standing,
  /** Null while it is healthy, or while nothing is known. */
  symptom: Symptom.nullable(),
  /** When the present standing and symptom began. */
  since: Instant,
  /** Median of its answers in the last minute, in milliseconds; null before there is one. */
  answerMs: z.number().nullable(),
  /** When it last answered anything; null if never. */
  answeredAt: Instant.nullable(),
  /** Why the last question failed, while it is not healthy. */
  failure: z.object({ phase: ProbePhase, message: z.string(), at: Instant }).nullable(),
})
export type Health = z.infer<typeof Health>
