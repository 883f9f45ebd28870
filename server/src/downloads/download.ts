/** A file that somebody may download once. */
export interface Download {
  readonly name: string
  readonly type: string
  /** Pieces of it as they are made; none is made before the one before it was taken. */
  readonly pieces: () => AsyncIterable<Buffer>
  /** Told once, when the file is whole or when it broke off. */
  readonly ended: (how: { readonly whole: boolean; readonly bytes: number }) => void
}
