import type { IncomingMessage } from 'node:http'
import { Refusal } from './problem.ts'

export interface HeaderLimits {
  readonly urlBytes: number
  readonly headerBytes: number
  readonly headerCount: number
}

/** Headers that decide something here, and would decide two things if they came twice (RFC 9110, 5.3). */
const singletons = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'if-match',
  'last-event-id',
  'origin',
  'sec-fetch-site',
  'transfer-encoding',
  'x-console-request',
  'x-malleus-person',
  'x-malleus-target',
])

/**
 * What the parser lets through and nobody should have to think about again. Names with an underscore are refused since
 * some proxies and programs take `x_console_request` for `x-console-request`; bodies of GET and HEAD since nothing
 * here has a use for one, and a proxy may see the next request in it.
 */
export function checkRequestHeaders(
  { method = '', url = '', rawHeaders, headers, httpVersion }: IncomingMessage,
  limits: HeaderLimits,
): void {
  if (url.length > limits.urlBytes) throw new Refusal('uri_too_long', undefined, { closes: true })
  if (rawHeaders.length / 2 > limits.headerCount) throw new Refusal('headers_too_large', undefined, { closes: true })
  if (headers.host === undefined && httpVersion === '1.1') throw malformed('The header "host" is missing.')
  let bytes = 0
  let seen: Set<string> | undefined
  let framing = ''
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    bytes += name.length + value.length + 4
    if (name.includes('_')) throw malformed(`The header "${name.slice(0, 40)}" has an underscore in its name.`)
    // oxlint-disable-next-line no-control-regex -- these are the characters that end a header early
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw malformed(`The header "${name}" has a control character.`)
    if (!singletons.has(name)) continue
    seen ??= new Set()
    if (seen.has(name)) throw malformed(`The header "${name}" is there twice.`)
    seen.add(name)
    if (name === 'transfer-encoding' || (name === 'content-length' && value !== '0')) {
      if (framing !== '') throw malformed('The length of the request is announced in two ways.')
      framing = name
      if (name === 'transfer-encoding' && value.toLowerCase() !== 'chunked') {
        throw malformed('The request has a transfer encoding other than chunked.')
      }
    }
  }
  if (bytes > limits.headerBytes) throw new Refusal('headers_too_large', undefined, { closes: true })
  if (framing !== '' && (method === 'GET' || method === 'HEAD')) throw malformed(`A ${method} request has no body.`)
}

function malformed(detail: string): Refusal {
  return new Refusal('bad_request', detail, { closes: true })
}
