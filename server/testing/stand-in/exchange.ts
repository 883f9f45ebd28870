/** One request and its answer on a connection, seen as bytes: how much has passed, and whether the request is whole. */
export class Exchange {
  received = 0
  sent = 0
  method: string | undefined
  path: string | undefined
  /** Its fault has been looked for. */
  judged = false
  #head: Buffer = Buffer.alloc(0)
  #headBytes: number | undefined
  #bodyBytes: number | undefined
  #chunkedTail = ''
  #chunked = false

  /** Bytes of the request as they arrive. */
  take(bytes: Buffer): void {
    this.received += bytes.length
    if (this.#headBytes === undefined) this.#readHead(bytes)
    if (this.#chunked) this.#chunkedTail = (this.#chunkedTail + bytes.toString('latin1')).slice(-5)
  }

  /** The member has every byte of the request. */
  get complete(): boolean {
    if (this.#headBytes === undefined) return false
    if (this.#chunked) return this.#chunkedTail === '0\r\n\r\n'
    return this.received >= this.#headBytes + (this.#bodyBytes ?? 0)
  }

  #readHead(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes])
    const text = this.#head.toString('latin1')
    if (this.path === undefined) {
      const line = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r\n/.exec(text)
      this.method = line?.[1]
      this.path = line?.[2]?.split('?')[0]
    }
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return
    this.#headBytes = end + 4
    const head = text.slice(0, end)
    this.#bodyBytes = Number(/\r\ncontent-length:\s*(\d+)/i.exec(head)?.[1] ?? 0)
    this.#chunked = /\r\ntransfer-encoding:[^\r]*chunked/i.test(head)
    this.#head = Buffer.alloc(0)
  }
}
