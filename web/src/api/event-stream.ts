/** One event of a `text/event-stream`, as the HTML standard defines it (section 9.2.6). */
export interface StreamEvent {
  readonly event: string
  readonly data: string
  readonly id?: string | undefined
}

/** Takes text as it arrives, in pieces of any size, and gives the events that are complete. */
export class EventStreamParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | undefined

  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = []
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const complete = this.#take(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (complete !== undefined) events.push(complete)
    }
    return events
  }

  #take(line: string): StreamEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return undefined
  }

  #dispatch(): StreamEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }
    const empty = this.#data.length === 0
    this.#event = ''
    this.#data = []
    this.#id = undefined
    return empty ? undefined : event
  }
}
