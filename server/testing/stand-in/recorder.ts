/** One HTTP request as a member received it. */
export interface RecordedRequest {
  id: number
  at: number
  member: string
  method: string
  /** With its query, exactly as sent. */
  url: string
  /** In order, with names as sent. */
  headers: readonly (readonly [name: string, value: string])[]
  /** SHA-256 of the client's certificate in hex, or null. */
  peerFingerprint: string | null
  authorization: string | null
  peerAddress: string
}

/** One mutation that was carried out. */
export interface Execution {
  id: number
  at: number
  /** What was done: `member.evacuate`, `instance.start`, … */
  action: string
  /** The member that did it. */
  member: string
  /** The member the request came in through. */
  via: string
  method: string
  path: string
  who: { protocol: 'tls' | 'oidc'; name: string } | null
  body: unknown
}

/** What came in, and what was carried out. */
export class Recorder {
  /** The latest requests, oldest first. */
  readonly requests: RecordedRequest[] = []
  /** Every mutation that was carried out, oldest first. */
  readonly executions: Execution[] = []
  /** All requests since the start, also those no longer kept. */
  requestCount = 0
  readonly #keep: number
  readonly #listeners = new Set<(request: RecordedRequest) => void>()

  constructor(keep: number) {
    this.#keep = keep
  }

  request(request: Omit<RecordedRequest, 'id'>): void {
    this.requestCount += 1
    const recorded = { id: this.requestCount, ...request }
    this.requests.push(recorded)
    if (this.requests.length > this.#keep) this.requests.shift()
    for (const tell of this.#listeners) tell(recorded)
  }

  execution(execution: Omit<Execution, 'id'>): void {
    this.executions.push({ id: this.executions.length + 1, ...execution })
  }

  onRequest(listener: (request: RecordedRequest) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
