import { z } from 'zod'
import { listOf } from './reply.ts'

/** One entry of the trust store, `GET /1.0/certificates/<fingerprint>` (incus `shared/api/certificate.go`). */
export const IncusTrustEntry = z.looseObject({
  fingerprint: z.string(),
  name: z.string().nullish().catch(null),
  /** `client`, `metrics`, or `server` for members among themselves. */
  type: z.string().nullish().catch(null),
  restricted: z.boolean().nullish().catch(null),
  projects: listOf(z.string()).catch([]),
  description: z.string().nullish().catch(null),
  /** PEM. Public data: Incus shows it to whoever may see the entry. */
  certificate: z.string().nullish().catch(null),
})
export type IncusTrustEntry = z.infer<typeof IncusTrustEntry>
