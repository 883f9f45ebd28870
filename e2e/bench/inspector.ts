import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'

/** Options for a Node whose memory is to be watched. */
export const inspectable: readonly string[] = ['--inspect=127.0.0.1:0']

const Answer = z.object({
  id: z.int(),
  result: z.object({ result: z.object({ value: z.unknown() }).optional() }).optional(),
  error: z.object({ message: z.string() }).optional(),
})
const Usage = z.object({
  rss: z.number(),
  external: z.number(),
  /** What the program made and holds. */
  objects: z.number(),
  /** What V8 made of the program: byte code, machine code and what belongs to them. */
  code: z.number(),
})
export type Usage = z.infer<typeof Usage>

/** Evaluated in the other Node. V8 keeps code apart from objects, in spaces of its own. */
const usageNow = `(() => {
  const { rss, external } = process.memoryUsage()
  const used = { objects: 0, code: 0 }
  for (const { space_name, space_used_size } of process.getBuiltinModule('v8').getHeapSpaceStatistics()) {
    used[/code|trusted/.test(space_name) ? 'code' : 'objects'] += space_used_size
  }
  return { rss, external, ...used }
})()`

/** Finds the inspector of a Node that was started `inspectable`, in what it has written to its log. */
export async function openInspector(logFile: string): Promise<Inspector> {
  for (let tries = 0; tries < 100; tries++) {
    const url = /^Debugger listening on (ws:\S+)$/m.exec(await readFile(logFile, 'utf8').catch(() => ''))?.[1]
    if (url !== undefined) return await Inspector.connect(url)
    await pause(50)
  }
  throw new Error(`${logFile} names no inspector`)
}

/** The inspector of another Node, as far as memory is concerned. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: z.infer<typeof Answer>) => void>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = Answer.safeParse(JSON.parse(String(data)))
      if (!answer.success) return
      this.#waiting.get(answer.data.id)?.(answer.data)
      this.#waiting.delete(answer.data.id)
    })
  }

  static connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url)
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve(new Inspector(socket)), { once: true })
      socket.addEventListener('error', () => reject(new Error(`no inspector answers at ${url}`)), { once: true })
    })
  }

  /** Has all garbage collected, and reads what is left. */
  async settledMemory(): Promise<Usage> {
    // What finalizers let go of in the first round is collected in the second.
    await this.#ask('HeapProfiler.collectGarbage', {})
    await this.#ask('HeapProfiler.collectGarbage', {})
    const answer = await this.#ask('Runtime.evaluate', { expression: usageNow, returnByValue: true })
    return Usage.parse(answer.result?.result?.value)
  }

  close(): void {
    this.#socket.close()
  }

  async #ask(method: string, params: Record<string, unknown>): Promise<z.infer<typeof Answer>> {
    const id = (this.#last += 1)
    const { promise, resolve, reject } = Promise.withResolvers<z.infer<typeof Answer>>()
    this.#waiting.set(id, resolve)
    const patience = setTimeout(() => reject(new Error(`${method}: no answer of the inspector`)), 30_000)
    this.#socket.send(JSON.stringify({ id, method, params }))
    try {
      const answer = await promise
      if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
      return answer
    } finally {
      clearTimeout(patience)
    }
  }
}
