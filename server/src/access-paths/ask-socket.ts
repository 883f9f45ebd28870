import { request } from 'node:http'
import { readName } from './read-name.ts'

/** Asks the server whose local socket it is who it is. Rejects when there is no answer. */
export function askSocket(socketPath: string, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const asking = request({
      socketPath,
      path: '/1.0',
      agent: false,
      signal,
      headers: { host: 'incus', 'user-agent': 'malleus' },
    })
    asking.once('error', reject)
    asking.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => resolve(readName(Buffer.concat(chunks)).server))
    })
    asking.end()
  })
}
