import type { IncomingHttpHeaders } from 'node:http'

/** Methods that change nothing (RFC 9110, 9.2.1). */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/**
 * Why a request does not come from a page of this console; nothing when it does. A page elsewhere cannot set
 * `X-Console-Request` without asking first, and is never allowed to; the browser itself vouches with `Sec-Fetch-Site`
 * and `Origin` where it sends them.
 *
 * @param origin scheme, host and port of the public URL
 */
export function crossSiteReason(method: string, headers: IncomingHttpHeaders, origin: string): string | undefined {
  if (headers['x-console-request'] !== '1') return 'without X-Console-Request'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return 'Sec-Fetch-Site is not same-origin'
  if (headers.origin === undefined) return isSafe(method) ? undefined : 'without Origin'
  return headers.origin === origin ? undefined : 'from another Origin'
}
