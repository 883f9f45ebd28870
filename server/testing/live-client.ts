import { LiveEvent } from '@malleus/shared/api/live.ts'
import type { ClientRequest } from 'node:http'
import { request as httpRequest } from 'node:http'
import { z } from 'zod'

/** One event as it came down the stream. */
export interface Told<Event extends LiveEvent = LiveEvent> {
  readonly id: string | null
  readonly event: Event
  /** When it arrived, in milliseconds since 1970. */
  readonly at: number
}

type EventOf<Kind extends LiveEvent['kind']> = Extract<LiveEvent, { kind: Kind }>

export interface LiveClientOptions {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  readonly onBytes: (bytes: Buffer) => void
}

/** The live stream as a page has it: what came, in order, over as many connections as it took. */
export class LiveClient {
  /** Everything that came, oldest first. */
  readonly told: Told[] = []
  lastEventId: string | null = null
  readonly #options: LiveClientOptions
  readonly #waiting = new Set<() => void>()
  #request: ClientRequest | null = null
  #ended: Promise<void> = Promise.resolve()

  constructor(options: LiveClientOptions) {
    this.#options = options
  }

  /** Opens the stream, from where it broke off if it did; resolves with the status once its header is there. */
  async open(): Promise<number> {
    const { port, headers, onBytes } = this.#options
    const resumed = this.lastEventId === null ? {} : { 'last-event-id': this.lastEventId }
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port,
      path: '/api/live',
      agent: false,
      headers: { ...headers, accept: 'text/event-stream', ...resumed },
    })
    this.#request = outgoing
    const status = Promise.withResolvers<number>()
    this.#ended = new Promise((resolve) => outgoing.once('close', resolve))
    outgoing.on('error', status.reject)
    outgoing.on('response', (response) => {
      let unread = ''
      response.on('error', () => undefined)
      response.on('data', (bytes: Buffer) => {
        // What was still under way when the link was cut has not arrived.
        if (this.#request !== outgoing) return
        onBytes(bytes)
        unread += bytes.toString('utf8')
        const pieces = unread.split('\n\n')
        unread = pieces.pop() ?? ''
        for (const piece of pieces) this.#take(piece)
        this.#tell()
      })
      status.resolve(response.statusCode ?? 0)
    })
    outgoing.end()
    return status.promise
  }

  /** Cuts the link as a lost network does. */
  cut(): void {
    const request = this.#request
    this.#request = null
    request?.destroy()
  }

  /** Settles when the connection is over, whoever ended it. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** The first event of the kind that fits, from the given place in `told` on; waits for it. */
  async next<Kind extends LiveEvent['kind']>(
    kind: Kind,
    fits: (event: EventOf<Kind>) => boolean = () => true,
    from = 0,
    patienceMs = 10_000,
  ): Promise<Told<EventOf<Kind>>> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      for (const { event, ...rest } of this.told.slice(from)) {
        if (isOf(kind, event) && fits(event)) return { event, ...rest }
      }
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`no ${kind} came, but ${this.told.map(({ event }) => event.kind).join(', ')}`)
      await this.#news(left)
    }
  }

  #take(piece: string): void {
    const fields = new Map(
      piece.split('\n').map((line) => {
        const at = line.indexOf(': ')
        return [line.slice(0, at), line.slice(at + 2)] as const
      }),
    )
    const id = fields.get('id') ?? null
    const data = z.record(z.string(), z.unknown()).parse(JSON.parse(fields.get('data') ?? '{}'))
    const event = LiveEvent.parse({ kind: fields.get('event'), ...data })
    if (id !== null) this.lastEventId = id
    this.told.push({ id, event, at: Date.now() })
  }

  #tell(): void {
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }

  async #news(mostMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, mostMs)
      this.#waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

function isOf<Kind extends LiveEvent['kind']>(kind: Kind, event: LiveEvent): event is EventOf<Kind> {
  return event.kind === kind
}
