/** A time in which a stream was not heard, in milliseconds since 1970. */
export interface StreamGap {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** A sentence's end: "server2 fell silent". */
  readonly reason: string
}

/** A stream of a cluster, and until when it was heard without a gap that is not kept. */
export interface KeptStream {
  readonly stream: string
  readonly began: number
  readonly seen: number
}

/** When the streams that feed the history of one cluster were heard, across restarts. */
export interface StreamStore {
  streams(cluster: string): Promise<readonly KeptStream[]>
  writeStreams(cluster: string, streams: readonly KeptStream[]): Promise<void>
  gaps(cluster: string): Promise<readonly StreamGap[]>
  writeGap(cluster: string, gap: StreamGap): Promise<void>
  /** Forgets gaps that ended before. */
  prune(cluster: string, before: number): Promise<void>
}
