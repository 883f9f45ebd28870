// Stands where a member's daemon should be. With the cluster's own certificate it is a member that is just starting:
// the handshake succeeds and no request is ever answered. With another certificate it is a machine that took the
// member's address: it answers as if nothing were wrong, so that only a console which looks at the certificate notices.
//
//   node impostor.ts starting|wrong-certificate ADDRESS PORT CERTIFICATE KEY HEARD

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:tls'

const [kind, address = '', port = '', certificate = '', key = '', heard = ''] = process.argv.slice(2)

/** By the address of the sender. Read by `Lab.heard`. */
const senders = new Map<string, { handshakes: number; bytes: number }>()

const server = createServer(
  // Incus asks every client for a certificate and lets those without one in.
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  },
  (socket) => {
    const sender = senderAt(socket.remoteAddress ?? 'unknown')
    sender.handshakes += 1
    write()
    socket.on('data', (chunk: Buffer) => {
      sender.bytes += chunk.length
      write()
      if (kind === 'wrong-certificate' && chunk.toString('latin1').includes('\r\n\r\n')) socket.write(pleasantAnswer())
    })
    socket.on('error', () => socket.destroy())
  },
)
server.on('tlsClientError', (_error, socket) => socket.destroy())
write()
server.listen(Number(port), address)

function pleasantAnswer(): string {
  const body = JSON.stringify({
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata: {
      api_extensions: [],
      api_status: 'stable',
      api_version: '1.0',
      auth: 'trusted',
      public: false,
      auth_methods: ['tls'],
      config: {},
    },
  })
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function senderAt(address: string): { handshakes: number; bytes: number } {
  const sender = senders.get(address) ?? { handshakes: 0, bytes: 0 }
  senders.set(address, sender)
  return sender
}

function write(): void {
  writeFileSync(`${heard}.new`, JSON.stringify([...senders].map(([address, sent]) => ({ address, ...sent }))))
  renameSync(`${heard}.new`, heard)
}
