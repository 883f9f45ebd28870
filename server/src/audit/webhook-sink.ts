import { outboundFetch } from '../lib/outbound.ts'
import type { Sink, SinkSettings } from './sink.ts'

/** Lines as the body of a POST over HTTPS, NDJSON; any answer of 200 to 299 says that they are there. */
export function webhookSink({ name, records, url, token, ca }: Extract<SinkSettings, { kind: 'webhook' }>): Sink {
  const outbound = outboundFetch({ ca: ca ?? undefined, mostBytes: 65_536 })
  return {
    name,
    wantsRecords: records,
    deliver: async (lines) => {
      const reply = await outbound.fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          ...(token !== null && { authorization: `Bearer ${token}` }),
        },
        body: lines.map(({ text }) => `${text}\n`).join(''),
      })
      if (!reply.ok) throw new Error(`${new URL(url).host} answered ${reply.status}`)
    },
    close: () => outbound.close(),
  }
}
