import { z } from 'zod'
import { listOf } from './reply.ts'

/**
 * One row of `GET /1.0/instances?recursion=1` (incus `shared/api/instance.go`), as far as counting needs. A member that
 * does not answer has rows with status `Error` and nothing but name, project, type and location.
 */
export const IncusInstance = z.looseObject({
  name: z.string().min(1),
  /** `none` on a server that is not clustered. */
  location: z
    .string()
    .nullish()
    .catch(null)
    .transform((location) => location ?? ''),
})
export type IncusInstance = z.infer<typeof IncusInstance>

/** A list of instances; a row without a name is left out. */
export const IncusInstances = listOf(z.unknown()).transform((rows) =>
  rows.flatMap((row) => {
    const instance = IncusInstance.safeParse(row)
    return instance.success ? [instance.data] : []
  }),
)
