/** One line on its way out: a signed attestation, or a record. */
export interface SinkLine {
  readonly kind: 'attestation' | 'record'
  /** When it was written, as it says itself. */
  readonly at: string
  readonly text: string
}

/** A place outside of the console that is told what was signed, and where wanted every record too. */
export interface Sink {
  /** From the configuration; how far it has got is remembered under it. */
  readonly name: string
  /** Whether it is sent the records too. */
  readonly wantsRecords: boolean
  /** Resolves when the other side has them. Lines may come twice. */
  deliver(lines: readonly SinkLine[]): Promise<void>
  close(): Promise<void>
}

export type SinkSettings = { readonly name: string; readonly records: boolean } & (
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'webhook'; readonly url: string; readonly token: string | null; readonly ca: string | null }
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number; readonly ca: string | null }
)
