import { pino } from 'pino'
import { withoutSecrets } from './redact.ts'

/** What a part may say in the log: a sentence, and fields for programs. Secrets never; errors keep their cause. */
export interface Logger {
  debug(fields: object, sentence: string): void
  info(fields: object, sentence: string): void
  warn(fields: object, sentence: string): void
  error(fields: object, sentence: string): void
}

/**
 * One JSON line per event, on standard output by default. `level` is one of pino's: debug, info, warn, error, silent.
 * Errors are written with message and stack under `err` and `error`.
 */
export function createLogger(level: string, destination?: { write(line: string): void }): Logger {
  const { err } = pino.stdSerializers
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err, error: err },
    hooks: { streamWrite: withoutSecrets },
  }
  // Lines are handed to the system behind: a request does not wait for whoever reads the log. They are written out at the end.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false }))
}

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function nothing(): void {}
