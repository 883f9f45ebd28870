import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { request as requestHttp } from 'node:http'
import type { RequestOptions as TlsRequestOptions } from 'node:https'
import { request as requestHttps } from 'node:https'

/** How one read ended; times in milliseconds of `performance.now()`. */
export type Outcome =
  | {
      readonly kind: 'answered'
      readonly startedAt: number
      readonly ms: number
      readonly status: number
      readonly body: string
      /** The member that answered, where the console said so. */
      readonly via?: string
      /** Whether it went over a connection that was there before. */
      readonly reused: boolean
    }
  | { readonly kind: 'failed'; readonly startedAt: number; readonly ms: number; readonly why: string }

export type ReadOptions = { readonly scheme: 'http'; readonly options: RequestOptions } | ReadOverTls

export interface ReadOverTls {
  readonly scheme: 'https'
  readonly options: TlsRequestOptions
}

/** Sends a GET and times it from before the connection to the last byte of the answer. Never rejects. */
export function timedRead(read: ReadOptions, patienceMs: number): Promise<Outcome> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      clearTimeout(patience)
      resolve({ kind: 'failed', startedAt, ms: performance.now() - startedAt, why: reasonOf(error) })
    }
    const answered = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', failed)
      response.on('end', () => {
        const ms = performance.now() - startedAt
        clearTimeout(patience)
        const via = response.headers['x-malleus-via']
        resolve({
          kind: 'answered',
          startedAt,
          ms,
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          reused: outgoing.reusedSocket,
          ...(typeof via === 'string' ? { via } : {}),
        })
      })
    }
    const outgoing = send(read, answered)
    outgoing.on('error', failed)
    const patience = setTimeout(() => outgoing.destroy(new Error(`no answer within ${patienceMs} ms`)), patienceMs)
    outgoing.end()
  })
}

function send(read: ReadOptions, answered: (response: IncomingMessage) => void): ClientRequest {
  return read.scheme === 'http' ? requestHttp(read.options, answered) : requestHttps(read.options, answered)
}

function reasonOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
