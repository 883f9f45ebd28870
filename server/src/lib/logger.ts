import { pino } from 'pino'

/** What a part may say in the log: a sentence, and fields for programs. Secrets never; errors keep their cause. */
export interface Logger {
  debug(fields: object, sentence: string): void
  info(fields: object, sentence: string): void
  warn(fields: object, sentence: string): void
  error(fields: object, sentence: string): void
}

/** One JSON line per event on standard output. `level` is one of pino's: debug, info, warn, error, silent. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function nothing(): void {}
