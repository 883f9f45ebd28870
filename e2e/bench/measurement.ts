// The frame every measurement runs in: what it starts is ended, whether it finishes, fails or is interrupted.

import { type Report, writeReport } from './report.ts'

export interface Run {
  /** Aborted by Ctrl-C; pauses and loops end with it. What is being started is let finish, so that it can be ended. */
  readonly signal: AbortSignal
  /** Has this done at the end, in reverse order. */
  defer(end: () => unknown): void
  say(line: string): void
}

/** Runs a measurement and sets the exit code: 0 when no bound was missed, 1 when one was or it failed, 130 when it was interrupted. */
export async function measurement(name: string, measure: (run: Run) => Promise<Report>): Promise<void> {
  const over = new AbortController()
  const interrupted = new Interrupted()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => over.abort(interrupted))
  // Whatever nobody waited for must not end the process before its endings have run.
  process.on('unhandledRejection', (error) => over.abort(error))
  process.on('uncaughtException', (error) => over.abort(error))
  // Whoever reads what is said may leave first, as `head` does.
  process.stdout.on('error', () => over.abort(interrupted))
  const endings: (() => unknown)[] = []
  const run: Run = { signal: over.signal, defer: (end) => endings.push(end), say }
  try {
    const report = await measure(run)
    over.signal.throwIfAborted()
    say(`\n${await writeReport(name, report, new Date())}`)
    process.exitCode = report.bounds.some(({ verdict }) => verdict === 'missed') ? 1 : 0
  } catch (error) {
    const why: unknown = over.signal.aborted ? over.signal.reason : error
    if (why === interrupted) say('Interrupted; ending what was started …')
    else console.error(why)
    process.exitCode = why === interrupted ? 130 : 1
  }
  // Loops that still run end here, before what they use does.
  over.abort(interrupted)
  for (const end of endings.toReversed()) await attempt(end)
  process.exit()
}

class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** One ending that fails must not keep the others from happening. */
async function attempt(end: () => unknown): Promise<void> {
  try {
    await end()
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
