import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'
import type { SecureContextOptions } from 'node:tls'
import type { KeyPair } from './certificate-authority.ts'

export interface RawConnection {
  /** What came before TLS. */
  readonly preamble: string
  readonly resumed: boolean
  /** Common name of the client's certificate; null without one. */
  readonly client: string | null
  /** The plaintext that has arrived. */
  received: string
  /** Whether the client ended it. */
  ended: boolean
}

export interface RawMemberOptions {
  readonly identity: KeyPair
  /** Called for each request head that is complete; writes whatever it likes. */
  readonly answer: (socket: TLSSocket, request: string, nth: number) => void
  /** A line is read before TLS begins. */
  readonly preamble?: boolean
  readonly tls?: SecureContextOptions
}

/** A TLS server that says exactly what a test wants, and remembers every byte it was sent. */
export class RawMember {
  readonly connections: RawConnection[] = []
  readonly port: number
  readonly #close: () => Promise<void>

  constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  get requests(): number {
    return this.connections.reduce((sum, { received }) => sum + received.split('\r\n\r\n').length - 1, 0)
  }

  close(): Promise<void> {
    return this.#close()
  }
}

export async function startRawMember(options: RawMemberOptions): Promise<RawMember> {
  const { identity, preamble = false } = options
  const secureContext = createSecureContext({ cert: identity.certificate, key: identity.key, ...options.tls })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', ignore)
    socket.on('close', () => open.delete(socket))
    if (!preamble) {
      secure(socket, '')
      return
    }
    socket.once('readable', () => {
      const bytes: unknown = socket.read()
      const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : ''
      const end = text.indexOf('\r\n') + 2
      socket.unshift(Buffer.from(text.slice(end), 'latin1'))
      secure(socket, text.slice(0, end))
    })
  })

  function secure(socket: Socket, preamble: string): void {
    const tls = new TLSSocket(socket, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false })
    tls.on('error', ignore)
    tls.once('secure', () => {
      const client = tls.getPeerX509Certificate()?.subject.replace('CN=', '') ?? null
      const connection = { preamble, resumed: tls.isSessionReused(), client, received: '', ended: false }
      member.connections.push(connection)
      tls.once('close', () => (connection.ended = true))
      tls.on('data', (bytes: Buffer) => {
        const before = connection.received.split('\r\n\r\n').length
        connection.received += bytes.toString('latin1')
        const after = connection.received.split('\r\n\r\n').length
        for (let nth = before; nth < after; nth++) options.answer(tls, connection.received, member.requests)
      })
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  const member: RawMember = new RawMember(address.port, () => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return member
}

/** A whole answer of Incus. */
export function httpReply(status: number, body: unknown, more = ''): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n${more}\r\n${text}`
}

export function syncReply(metadata: unknown): string {
  return httpReply(200, { type: 'sync', status: 'Success', status_code: 200, metadata })
}

function ignore(): void {}
