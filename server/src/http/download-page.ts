import { once } from 'node:events'
import type { RequestHandler } from 'express'
import type { Door, DoorDownload } from './door.ts'
import { exchangeOf } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { Refusal } from './problem.ts'

/**
 * `GET /d/<ticket>`: a file that was prepared by a request that carried all that requests carry. The address alone is
 * worth nothing: it wants the session that asked for it, and to be opened from this site.
 */
export function downloadHandler(door: Door): RequestHandler {
  return async (request) => {
    const exchange = exchangeOf(request)
    exchange.route = '/d/:ticket'
    const isOurs = request.headers['sec-fetch-site'] === 'same-origin'
    const download = isOurs ? await taken(door, exchange) : undefined
    // Whatever is wrong, whoever tries an address learns only that there is nothing.
    if (download === undefined) throw new Refusal('not_found', 'This download has been used, or is too old.')
    await send(door, exchange, download)
  }
}

async function taken(door: Door, { request, path }: Exchange): Promise<DoorDownload | undefined> {
  const found = await door.findSession(request.headers.cookie)
  if (found.kind !== 'found') return undefined
  return door.takeDownload(path.segments[1] ?? '', found.session.principal.sessionTag)
}

async function send({ logger }: Door, { id, response }: Exchange, download: DoorDownload): Promise<void> {
  response.setHeader('content-type', download.type)
  response.setHeader('content-disposition', `attachment; filename="${download.name.replaceAll(/[^\w.-]/g, '_')}"`)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  let bytes = 0
  let whole = false
  try {
    for await (const piece of download.pieces()) {
      if (gone.signal.aborted) break
      bytes += piece.length
      // Nothing more is made than the browser takes.
      if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal })
    }
    whole = !gone.signal.aborted
    if (whole) response.end()
  } catch (error) {
    if (!gone.signal.aborted) logger.warn({ requestId: id, err: error }, 'A download broke off')
    // A file that is not whole must not look as if it were: the connection ends without the last chunk.
    response.destroy()
  } finally {
    download.ended({ whole, bytes })
  }
}
