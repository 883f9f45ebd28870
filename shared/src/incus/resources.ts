import { z } from 'zod'

const number = z.number().nullish().catch(null)

/** What is used of `GET /1.0/resources` (incus `shared/api/resource.go`), a large document. Null where it is not told. */
export const IncusResources = z.looseObject({
  cpu: z.looseObject({ total: number }).nullish().catch(null),
  /** Bytes; `used` leaves out what the page cache would give back. */
  memory: z.looseObject({ used: number, total: number }).nullish().catch(null),
  /** With the names of Go's fields; the averages are over 1, 5 and 10 minutes, as they are called. */
  load: z.looseObject({ Average1Min: number, Average5Min: number, Average10Min: number }).nullish().catch(null),
})
export type IncusResources = z.infer<typeof IncusResources>
