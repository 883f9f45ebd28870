import { z } from 'zod'

/**
 * Stands in an answer where a secret is: equal secrets of this console look equal, and it cannot be read. Sent back
 * unchanged it means "as it is".
 */
export const Redacted = z.strictObject({ $redacted: z.string() })
export type Redacted = z.infer<typeof Redacted>

/** One value of a configuration as it is shown: its text, or what stands for it. */
export const MaskedValue = z.union([z.string(), Redacted])
export type MaskedValue = z.infer<typeof MaskedValue>

export function isRedacted(value: unknown): value is Redacted {
  return Redacted.safeParse(value).success
}
