import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The console as a process of its own, started as `npm start` starts it. */
export class ConsoleProcess {
  /** What it wrote, both streams together. */
  output = ''
  /** Its exit status, or the signal that ended it. */
  readonly exited: Promise<number | string>
  readonly #child: ChildProcess
  readonly #managementPort: number

  /** @param program what Node runs, and the arguments before the configuration. Default: the source. */
  constructor(configFile: string, managementPort: number, program: readonly string[] = [main]) {
    this.#managementPort = managementPort
    const flags = ['--disable-proto=delete', '--disable-warning=ExperimentalWarning']
    this.#child = spawn(process.execPath, [...flags, ...program, '--config', configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    }
    this.exited = once(this.#child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? '')
  }

  /** Resolves when it serves. */
  async ready(): Promise<void> {
    await eventually(
      () => (this.#child.exitCode === null ? this.readiness() : Promise.reject(new Error(this.output))),
      (status) => status === 200,
      60_000,
    )
  }

  /** What its management listener answers to readyz; 0 when nobody does. */
  async readiness(): Promise<number> {
    return fetch(`http://127.0.0.1:${this.#managementPort}/readyz`).then(
      ({ status }) => status,
      () => 0,
    )
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(name)
  }

  /** Ends it at once, if it has not ended. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
    await this.exited
  }
}
