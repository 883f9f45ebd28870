import type { X509Certificate } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { z } from 'zod'
import type { Endpoint } from '../clusters/endpoint.ts'

export interface Stranger {
  readonly status: number
  /** Null without TLS. */
  readonly certificate: X509Certificate | null
  /** Whether the answer is Incus's own. */
  readonly isIncus: boolean
}

export interface StrangerQuestion {
  /** What clients enter. */
  readonly host: string
  readonly endpoint: Endpoint
  readonly path: '/1.0' | '/'
  readonly secure: boolean
  readonly signal: AbortSignal
}

const mostBytes = 64 * 1024

/**
 * What somebody answers who did not present the certificate of the cluster: a public question, with nothing in it that
 * tells who asks. Rejects when there is no answer.
 */
export function lookAtStranger({ host, endpoint, path, secure, signal }: StrangerQuestion): Promise<Stranger> {
  return new Promise((resolve, reject) => {
    const common = {
      host: endpoint.host,
      port: endpoint.port,
      path,
      agent: false,
      signal,
      headers: { host, 'user-agent': 'malleus', accept: '*/*' },
    }
    const asking = secure
      ? requestHttps({
          ...common,
          ...(isIP(host) === 0 && { servername: host }),
          // Who it is, is what is to be found out; nothing that is believed or secret goes over this connection.
          // oxlint-disable-next-line malleus/verified-tls
          rejectUnauthorized: false,
        })
      : requestHttp(common)
    asking.once('error', reject)
    asking.once('response', (response) => {
      const { socket } = response
      const certificate = socket instanceof TLSSocket ? (socket.getPeerX509Certificate() ?? null) : null
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > mostBytes) asking.destroy(new Error('the answer is too long'))
      })
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, certificate, isIncus: isIncusAnswer(text) }),
      )
    })
    asking.end()
  })
}

/** What `GET /1.0` tells everybody (incus `cmd/incusd/api_1.0.go`, `api10Get`). */
const Public = z.object({ metadata: z.object({ api_version: z.string(), auth: z.string() }) })

function isIncusAnswer(text: string): boolean {
  try {
    return Public.safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}
