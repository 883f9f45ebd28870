/** What a command ends with when it cannot do what was asked; part of what `--help` documents. */
export const exitCodes = {
  done: 0,
  /** Something unforeseen. */
  failed: 1,
  /** The command was not understood, or the configuration has mistakes. */
  usage: 2,
  notAToken: 3,
  expiredToken: 4,
  unreachable: 5,
  wrongFingerprint: 6,
  refusedToken: 7,
  notTrusted: 8,
  cannotWrite: 9,
  /** The access history, or a copy of it, is not what was written. */
  tampered: 10,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A command that ends with a sentence for people and a code for scripts. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}
