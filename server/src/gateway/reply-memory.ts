import { LRUCache } from 'lru-cache'
import type { z } from 'zod'
import type { WireReply } from './exchange.ts'
import type { ParsedReply, ReplyContext } from './incus-reply.ts'
import { etagOf, readIncusReply } from './incus-reply.ts'

const mostAnswers = 256
const mostBytes = 8 * 1024 * 1024
const mostAnswerBytes = 64 * 1024

interface Known {
  readonly schema: z.ZodType
  readonly body: Buffer
  readonly read: ParsedReply<unknown>
}

/**
 * Reads answers, and knows what the latest one to each question came to: in a calm cluster it is byte for byte the one
 * before, and need not be taken apart again.
 *
 * What an answer means depends on its bytes and its schema alone, so it does not matter whose question it was: who gets
 * the same bytes was shown the same. The values are shared, and frozen for it.
 */
export class ReplyMemory {
  readonly #known = new LRUCache<string, Known>({
    max: mostAnswers,
    maxSize: mostBytes,
    sizeCalculation: ({ body }) => body.length + 1,
  })

  /** As `readIncusReply`. @param question path and query, by which the answer is found again */
  read<Parsed>(question: string, reply: WireReply, context: ReplyContext<Parsed>): ParsedReply<Parsed> {
    const known = this.#known.get(question)
    if (known?.schema === context.parse && reply.status === 200 && known.body.equals(reply.body)) {
      // The same schema made it.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return { ...(known.read as ParsedReply<Parsed>), etag: etagOf(reply) }
    }
    const read = readIncusReply(reply, context)
    if (reply.status === 200 && reply.body.length <= mostAnswerBytes) {
      // A copy: the answer may be a small part of a large buffer.
      this.#known.set(question, { schema: context.parse, body: Buffer.from(reply.body), read: frozen(read) })
    }
    return read
  }
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
