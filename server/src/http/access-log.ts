import type { Door } from './door.ts'
import type { Exchange } from './exchange.ts'

/** One line and one count per request, when its answer is complete or its browser has gone. */
export function logWhenDone({ logger, metrics, clock }: Door, exchange: Exchange): void {
  const { response } = exchange
  metrics.began()
  response.once('close', () => {
    const ms = Math.round((clock.monotonic() - exchange.startedAt) * 10) / 10
    const status = response.writableFinished ? response.statusCode : 499
    const { id, method, path, client, route, session, answer } = exchange
    metrics.served(method, route === '' ? 'none' : route, status, ms)
    // The query stays out: values in it may be secrets, and the history has its keys.
    logger.info(
      {
        requestId: id,
        method,
        path: path.raw.slice(0, 512),
        status,
        ms,
        client: client.ip,
        ...(session !== null && { session: session.principal.sessionTag.slice(0, 16) }),
        ...(answer !== null && { via: answer.via, attempts: answer.attempts }),
      },
      `${method} ${status}`,
    )
  })
}
