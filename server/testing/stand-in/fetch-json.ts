import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

const PATIENCE_MS = 5_000

/** Reads a JSON object, trusting `ca` (PEM) besides the system's certificates. */
export function fetchJson(url: string, ca: string | undefined): Promise<Record<string, unknown>> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...(ca === undefined ? {} : { ca }) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        try {
          if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}`)
          const value: unknown = JSON.parse(Buffer.concat(chunks).toString())
          if (typeof value !== 'object' || value === null) throw new Error(`${url} is no JSON object`)
          resolve({ ...value })
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
    })
    outgoing.setTimeout(PATIENCE_MS, () => outgoing.destroy(new Error('i/o timeout')))
    outgoing.on('error', reject)
    outgoing.end()
  })
}
