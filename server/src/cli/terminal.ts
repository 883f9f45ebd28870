import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'

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
    readToken: () => (process.stdin.isTTY ? askForToken() : text(process.stdin)),
    start,
    environment: process.env,
  }
}

async function askForToken(): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question('Trust token (from: incus config trust add malleus): ')
  } finally {
    lines.close()
  }
}
