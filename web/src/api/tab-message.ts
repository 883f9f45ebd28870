import { z } from 'zod'

const Received = z.object({ id: z.string().optional(), event: z.string(), data: z.string() })

/**
 * What pages of one person in one browser say to each other. Events go as they came: a page that was loaded later may
 * understand more of them.
 */
export const TabMessage = z.discriminatedUnion('kind', [
  /** From the page that has the stream. */
  z.object({ kind: z.literal('event'), received: Received }),
  /** From it too: how the stream stands, and where. Sent at each change, and every two seconds as a sign of life. */
  z.object({
    kind: z.literal('phase'),
    phase: z.enum(['connecting', 'live', 'waiting']),
    position: z.string().nullable(),
  }),
  /** From it too: the session is over, for all of them. */
  z.object({ kind: z.literal('signed-out'), reason: z.string() }),
  /** A page asks what came after its position. */
  z.object({ kind: z.literal('hello'), from: z.string(), position: z.string().nullable() }),
  /** The answer: what came after it, or null where that cannot be said, and where the stream is now. */
  z.object({
    kind: z.literal('welcome'),
    to: z.string(),
    events: z.array(Received).nullable(),
    position: z.string().nullable(),
  }),
])
export type TabMessage = z.infer<typeof TabMessage>
