import type { ServerResponse } from 'node:http'

export interface EventMessage {
  /** With which the browser asks for what follows it; without, the last one stays. */
  readonly id?: string
  readonly event: string
  /** Sent as one line of JSON. */
  readonly data: unknown
}

/** Unsent bytes after which a browser is too slow: it is let go, comes back, and is told to read again. */
const MOST_BUFFERED = 1_048_576

/** Writes text/event-stream (HTML Standard, 9.2.5) to one browser. */
export class EventStream {
  readonly #response: ServerResponse
  /** Settles, never rejects, when the browser has gone or `close` was called. */
  readonly closed: Promise<void>

  /** Sends the header. */
  constructor(response: ServerResponse) {
    this.#response = response
    this.closed = new Promise((resolve) => response.once('close', resolve))
    response.setHeader('content-type', 'text/event-stream')
    // Proxies that gather an answer before they pass it on would gather this one for ever.
    response.setHeader('x-accel-buffering', 'no')
    response.writeHead(200)
    response.flushHeaders()
    response.socket?.setNoDelay(true)
  }

  send({ id, event, data }: EventMessage): void {
    if (this.#response.writableEnded || this.#response.destroyed) return
    if (/[\r\n]/.test(event) || (id !== undefined && /[\r\n\0]/.test(id))) {
      throw new TypeError('the name and id of an event are one line')
    }
    const head = id === undefined ? '' : `id: ${id}\n`
    this.#response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    if (this.#response.writableLength > MOST_BUFFERED) this.#response.destroy()
  }

  close(): void {
    this.#response.end()
  }
}
