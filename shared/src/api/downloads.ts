import { z } from 'zod'
import { endpoint } from './endpoint.ts'

export const beginDownload = endpoint({
  method: 'POST',
  path: '/downloads',
  summary: 'Prepares a file to be downloaded; the path works once, for this session, for half a minute.',
  body: z.strictObject({
    /** An export of the access history of a cluster, with what belongs to none. */
    kind: z.literal('audit'),
    cluster: z.string(),
    /** In the language of `history-filter.ts`. */
    filter: z.string().max(1_000),
    reads: z.boolean(),
    format: z.enum(['ndjson', 'csv']),
  }),
  reply: z.object({
    path: z.string(),
    /** Says under the console's signature what was exported; it comes when the file is whole. */
    manifest: z.string(),
  }),
})
