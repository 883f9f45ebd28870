import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CliError, exitCodes } from './cli-error.ts'

/** The terminal, or what stands in for one in a test. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** The trust token: asked for where there is somebody to ask, else the whole of standard input. */
  readonly readToken: () => Promise<string>
  /** Runs the console until it is told to stop; gives its exit status. */
  readonly start: (configFile: string) => Promise<number>
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** This process's own. */
export function processTerminal(start: Terminal['start']): Terminal {
  return {
    out: (words) => process.stdout.write(words),
    err: (words) => process.stderr.write(words),
    readToken: () => (process.stdin.isTTY ? askForToken(process.stdin, process.stderr) : text(process.stdin)),
    start,
    environment: process.env,
  }
}

/**
 * Asks for the token without showing it: it is as good as a key until it is used, and terminals remember what they showed.
 *
 * @throws CliError when it was given up, with Ctrl-C or Ctrl-D.
 */
export function askForToken(input: Readable, output: Pick<NodeJS.WritableStream, 'write'>): Promise<string> {
  output.write('Trust token (from: incus config trust add malleus; it is not shown): ')
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: unseen, terminal: true, historySize: 0 })
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    lines.once('SIGINT', () => lines.close())
    // After a line it is settled, and this says nothing any more.
    lines.once('close', () => reject(new CliError(exitCodes.failed, 'No token was given; nothing was done.')))
  }).finally(() => {
    lines.close()
    output.write('\n')
  })
}
