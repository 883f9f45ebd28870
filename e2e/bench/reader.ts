import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Outcome } from './timed-read.ts'

/** A GET, over TLS to whom presents `certificate` (PEM), if there is one; on a connection of its own, unless it is `kept` for the next. */
const RequestRead = z.object({
  kind: z.literal('request'),
  host: z.string(),
  port: z.number(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  certificate: z.string().exactOptional(),
  kept: z.boolean().exactOptional(),
})

/** A client program, whose output is the answer. */
const CommandRead = z.object({
  kind: z.literal('command'),
  argv: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
})

const Read = z.discriminatedUnion('kind', [RequestRead, CommandRead])
export type Read = z.infer<typeof Read>

/** What the process of a reader is asked. */
export const Question = z.object({ id: z.number(), read: Read, patienceMs: z.number() })
export type Question = z.infer<typeof Question>

const OutcomeSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answered'),
    startedAt: z.number(),
    ms: z.number(),
    status: z.number(),
    body: z.string(),
    via: z.string().exactOptional(),
    reused: z.boolean(),
  }),
  z.object({ kind: z.literal('failed'), startedAt: z.number(), ms: z.number(), why: z.string() }),
])
const Answer = z.object({ id: z.number(), outcome: OutcomeSchema })

/** A process that reads, somewhere in the network. */
export class Reader {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { answer(outcome: Outcome): void; fail(error: Error): void }>()
  #asked = 0
  #ended: Error | undefined

  /** Use `startReader`. */
  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message) => {
      const { id, outcome } = Answer.parse(message)
      this.#waiting.get(id)?.answer(outcome)
      this.#waiting.delete(id)
    })
    child.on('error', (error) => this.#end(error))
    child.on('exit', (code, signal) => this.#end(new Error(`a reader ended with ${signal ?? code}`)))
  }

  /** A read that fails is an outcome; rejects only when the process is gone. */
  read(read: Read, patienceMs: number): Promise<Outcome> {
    const id = this.#asked++
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      this.#waiting.set(id, { answer: resolve, fail: reject })
      this.#child.send({ id, read, patienceMs } satisfies Question)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.values()) waiting.fail(error)
    this.#waiting.clear()
  }
}

/** Starts a reader; `enter` are the words before a command that make it run in another place. */
export function startReader(enter: readonly string[] = []): Reader {
  const script = fileURLToPath(new URL('reader-process.ts', import.meta.url))
  const [program, ...rest] = [...enter, process.execPath, '--disable-warning=ExperimentalWarning', script]
  return new Reader(spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true }))
}
