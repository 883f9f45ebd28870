import { createServer, type Server, type ServerResponse } from 'node:http'

export interface ManagementOptions {
  /** What keeps this replica from serving, in words; empty when it is ready. */
  readonly notReady: () => readonly string[] | Promise<readonly string[]>
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
}

/** The other listener, for those who run the console and not for the public: healthz, readyz and metrics. */
export function createManagementServer({ notReady, metrics }: ManagementOptions): Server {
  const server = createServer((request, response) => {
    answer(request.method, request.url).catch((error: unknown) => {
      send(response, 500, 'text/plain', `failed: ${error instanceof Error ? error.name : 'error'}\n`)
    })

    async function answer(method: string | undefined, url: string | undefined): Promise<void> {
      if (method !== 'GET' && method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD')
        send(response, 405, 'text/plain', 'GET only\n')
        return
      }
      switch (url) {
        case '/healthz':
          send(response, 200, 'text/plain', 'ok\n')
          return
        case '/readyz': {
          const reasons = await notReady()
          send(
            response,
            reasons.length === 0 ? 200 : 503,
            'application/json',
            JSON.stringify({ ready: reasons.length === 0, reasons }),
          )
          return
        }
        case '/metrics':
          send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics())
          return
        default:
          send(response, 404, 'text/plain', 'healthz, readyz and metrics are here\n')
      }
    }
  })
  server.headersTimeout = 10_000
  server.requestTimeout = 10_000
  return server
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.setHeader('content-type', type)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.writeHead(status)
  response.end(body)
}
