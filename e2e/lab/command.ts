import { spawn } from 'node:child_process'

/** A program ended with another status than 0, or did not end in time. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly status: number | undefined
  readonly stderr: string

  constructor(argv: readonly string[], status: number | undefined, stderr: string, why: string) {
    super(`${argv.join(' ')}: ${why}${stderr.trim() === '' ? '' : `: ${stderr.trim()}`}`)
    this.status = status
    this.stderr = stderr
  }
}

export interface RunOptions {
  /** Written to standard input. Default: nothing. */
  readonly input?: string
  /** The program is killed after this. Default: 60 000. */
  readonly timeoutMs?: number
  /** The whole environment of the program. Default: `plainEnvironment`. */
  readonly environment?: Readonly<Record<string, string>>
}

/** What every program of the lab sees of our environment: a path, and no proxy, locale or certificate settings. */
export const plainEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
} as const

/** Runs a program to its end and gives what it printed. Throws `CommandFailed` when it fails. */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const { input = '', timeoutMs = 60_000, environment = plainEnvironment } = options
  const [program, ...rest] = argv
  const child = spawn(program, rest, {
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends without reading its input is judged by its status, not by the broken pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CommandFailed(argv, undefined, '', error.message)))
    child.on('close', (status, signal) => {
      const errors = Buffer.concat(stderr).toString()
      if (status === 0) resolve(Buffer.concat(stdout).toString())
      else
        reject(
          new CommandFailed(
            argv,
            status ?? undefined,
            errors,
            signal === null ? `status ${status}` : `ended by ${signal}`,
          ),
        )
    })
  })
}
