import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Run } from './measurement.ts'

/** Starts a program that runs beside the measurement and ends with it. What it complains about is kept, to say when it fails. */
export function startCompanion(run: Run, argv: readonly [string, ...string[]]): Companion {
  const [program, ...rest] = argv
  // A group of its own: Ctrl-C at a terminal is for the measurement, which then ends its companions in order.
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const companion = new Companion(program, child)
  run.defer(() => companion.stop())
  return companion
}

export class Companion {
  readonly #name: string
  readonly #child: ChildProcess
  #output = ''
  #complaint = ''
  #ended: string | undefined

  constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    child.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (this.#complaint = (this.#complaint + text).slice(-4_096)))
    child.on('error', (error) => (this.#ended = error.message))
    child.on('exit', (code, signal) => (this.#ended = `status ${code ?? signal}`))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The first line it prints. */
  async firstLine(withinMs = 10_000): Promise<string> {
    await this.#until(withinMs, 'said nothing', async () => this.#output.includes('\n'))
    return this.#output.slice(0, this.#output.indexOf('\n'))
  }

  /** Resolves when somebody accepts connections on this port of the loopback address. */
  async listensOn(port: number, withinMs = 10_000): Promise<void> {
    await this.#until(withinMs, `does not listen on ${port}`, () => accepts(port))
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(killer)
  }

  async #until(withinMs: number, what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + withinMs
    while (!(await holds())) {
      if (this.#ended !== undefined) throw new Error(`${this.#name} ended: ${this.#ended}\n${this.#complaint}`)
      if (performance.now() > end) throw new Error(`${this.#name} ${what} within ${withinMs} ms\n${this.#complaint}`)
      await pause(20)
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
