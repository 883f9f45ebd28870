import { z } from 'zod'

/** Something that an administrator should know about the way the console is connected to a cluster, in words. */
export const Finding = z.object({ severity: z.enum(['info', 'warning', 'bad']), code: z.string(), text: z.string() })
export type Finding = z.infer<typeof Finding>
