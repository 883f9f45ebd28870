import { z } from 'zod'
import { listOf, mapOf } from './reply.ts'

const text = z
  .string()
  .nullish()
  .catch(null)
  .transform((value) => value ?? '')

/** One row of `GET /1.0/cluster/members?recursion=1` (incus `shared/api/cluster.go`). Missing fields become empty. */
export const IncusMember = z.looseObject({
  server_name: z.string().min(1),
  /** `https://10.20.0.11:8443` */
  url: text,
  database: z.boolean().nullish().catch(null).transform(Boolean),
  status: text,
  message: text,
  architecture: text,
  failure_domain: text,
  description: text,
  roles: listOf(z.string()).catch([]),
  groups: listOf(z.string()).catch([]),
  config: mapOf(z.unknown()).catch({}),
})
export type IncusMember = z.infer<typeof IncusMember>

/** The list of members. A row without a name cannot be shown or asked and is left out; the others are kept. */
export const IncusMembers = listOf(z.unknown()).transform((rows) =>
  rows.flatMap((row) => {
    const member = IncusMember.safeParse(row)
    return member.success ? [member.data] : []
  }),
)

const number = z.number().nullish().catch(null)

/**
 * `GET /1.0/cluster/members/<name>/state` (incus `shared/api/cluster_state.go`). Null where it is not told. `free_ram`
 * leaves the page cache out, so that memory is read from `resources` instead.
 */
export const IncusMemberState = z.looseObject({
  sysinfo: z
    .looseObject({
      /** Seconds. */
      uptime: number,
      /** Over 1, 5 and 15 minutes. */
      load_averages: listOf(z.number()).catch([]),
    })
    .nullish()
    .catch(null),
  storage_pools: mapOf(
    z
      .looseObject({ space: z.looseObject({ used: number, total: number }).nullish().catch(null) })
      .nullish()
      .catch(null),
  ).catch({}),
})
export type IncusMemberState = z.infer<typeof IncusMemberState>
