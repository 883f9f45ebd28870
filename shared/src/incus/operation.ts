import { z } from 'zod'

const strings = z.record(z.string(), z.array(z.string())).nullish()

/** One background operation as Incus sends it (incus `shared/api/operation.go`). Unknown fields are kept. */
export const IncusOperation = z.looseObject({
  id: z.string(),
  class: z.string().default(''),
  description: z.string().default(''),
  created_at: z.string(),
  updated_at: z.string(),
  status: z.string().default(''),
  status_code: z.int(),
  resources: strings.transform((resources) => resources ?? {}),
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((metadata) => metadata ?? {}),
  may_cancel: z.boolean().default(false),
  err: z.string().default(''),
  /** `none` on a server that is not clustered. */
  location: z.string().default(''),
})
export type IncusOperation = z.infer<typeof IncusOperation>

/** `GET /1.0/operations?recursion=1`: a map from a lower-case status to operations, not a list. */
export const IncusOperationMap = z
  .record(z.string(), z.array(IncusOperation).nullable())
  .nullable()
  .transform((byStatus) => Object.values(byStatus ?? {}).flatMap((operations) => operations ?? []))
