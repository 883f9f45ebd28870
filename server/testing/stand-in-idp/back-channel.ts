import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/**
 * Delivers a logout token. oidc-provider's own fetch refuses loopback and private addresses to protect against request
 * forgery, so here back-channel logout would silently do nothing; this one goes where the client's registration says.
 *
 * @param ca PEM certificates to trust besides the system's, for a console with a test certificate.
 */
export function deliver(url: string, init: RequestInit, ca: string | undefined): Promise<Response> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  const body = init.body instanceof URLSearchParams ? init.body.toString() : ''
  const headers = Object.fromEntries(new Headers(init.headers))
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: init.method ?? 'GET',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: false,
        ...(init.signal ? { signal: init.signal } : {}),
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(new Response(null, { status: response.statusCode ?? 502 })))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
