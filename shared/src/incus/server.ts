import { z } from 'zod'
import { listOf, mapOf } from './reply.ts'

const text = z.string().nullish().catch(null)

/**
 * `GET /1.0` (incus `shared/api/server.go`). Everything but `auth` depends on who asks: strangers see no environment,
 * from 7.0 on no list of extensions either, and `config` is empty for those who may not see it, so an empty one does
 * not mean that nothing is configured.
 */
export const IncusServer = z.looseObject({
  auth: text.transform((auth) => auth ?? 'untrusted'),
  /** `tls`, and `oidc` where people's tokens can be checked. */
  auth_methods: listOf(z.string()).catch([]),
  auth_user_name: text,
  auth_user_method: text,
  /** Null when it is not told, which is not the same as having none. */
  api_extensions: z.array(z.string()).nullish().catch(null),
  config: mapOf(z.unknown()).catch({}),
  environment: z
    .looseObject({
      addresses: listOf(z.string()).catch([]),
      /** What it presents on the API port: in a cluster, the cluster certificate. PEM. */
      certificate: text,
      certificate_fingerprint: text,
      server_name: text,
      server_version: text,
      server_clustered: z.boolean().nullish().catch(null),
    })
    .nullish()
    .catch(null),
})
export type IncusServer = z.infer<typeof IncusServer>
