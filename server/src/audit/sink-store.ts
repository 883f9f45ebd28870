/** How far a sink has got: the number of the last attestation, and the position of the last record, that it took. */
export interface SinkPlace {
  readonly attestation: number
  readonly position: number
}

export interface SinkStore {
  /** At the very beginning for a sink that is new. */
  place(sink: string): Promise<SinkPlace>
  move(sink: string, place: SinkPlace): Promise<void>
}
