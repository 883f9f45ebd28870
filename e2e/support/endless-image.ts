import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'

/** A server with an image that never comes whole: who downloads it has background work that goes on until it is ended. */
export interface EndlessImage {
  /** For `source: { type: 'url', url }` of `POST /1.0/images`. */
  readonly url: string
  close(): Promise<void>
}

/** Incus asks for the head first, where the image is and what its hash is (incus `cmd/incusd/images.go`, `imgPostURLInfo`). */
export async function startEndlessImage(host: string): Promise<EndlessImage> {
  const downloads = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    if (request.method === 'HEAD') {
      response.setHeader('Incus-Image-Hash', 'f'.repeat(64))
      response.setHeader('Incus-Image-URL', `${url}/image`)
      response.end()
      return
    }
    response.setHeader('content-length', 1_000_000_000)
    downloads.add(response)
    response.once('close', () => downloads.delete(response))
  })
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  const url = `http://${host}:${address.port}`
  const piece = Buffer.alloc(1_000_000)
  const drip = setInterval(() => {
    for (const download of downloads) download.write(piece)
  }, 200)
  return {
    url,
    close: async () => {
      clearInterval(drip)
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
