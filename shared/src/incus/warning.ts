import { z } from 'zod'
import { listOf } from './reply.ts'

/** One row of `GET /1.0/warnings?recursion=1` (incus `shared/api/warning.go`). */
export const IncusWarning = z.looseObject({
  type: z.string(),
  status: z.string(),
  last_message: z.string().nullish().catch(null),
  last_seen_at: z.string().nullish().catch(null),
  location: z.string().nullish().catch(null),
})
export type IncusWarning = z.infer<typeof IncusWarning>

export const IncusWarnings = listOf(IncusWarning)
