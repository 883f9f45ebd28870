import { StepUpProblem } from '@malleus/shared/api/session.ts'
import { z } from 'zod'

/**
 * What the window that comes back from the provider says to the pages of this console. They share nothing else: the
 * provider's page has cut the way to the one that opened it, as it should (Cross-Origin-Opener-Policy).
 */
const ProofMessage = z.object({ of: z.string(), problem: StepUpProblem.nullable() })
type ProofMessage = z.infer<typeof ProofMessage>

const channelName = 'malleus-proof'

export function tellProof(message: ProofMessage): void {
  const channel = new BroadcastChannel(channelName)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches this origin alone and takes no other argument
  channel.postMessage(message)
  channel.close()
}

/** Returns what ends the listening. */
export function hearProof(listener: (message: ProofMessage) => void): () => void {
  const channel = new BroadcastChannel(channelName)
  channel.addEventListener('message', ({ data }) => {
    const message = ProofMessage.safeParse(data)
    if (message.success) listener(message.data)
  })
  return () => channel.close()
}
