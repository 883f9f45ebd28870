import type { OutboundFetch } from '../lib/outbound.ts'
import { outboundFetch } from '../lib/outbound.ts'
import type { AlertMessage } from './alert-message.ts'
import type { AlertSink } from './alert-sink.ts'
import { DeliveryFailed } from './alert-sink.ts'

export interface WebhookSettings {
  readonly url: string
  /** Sent as a bearer token; null for none. */
  readonly token: string | null
  /** PEM; null for the authorities of the system. */
  readonly ca: string | null
}

const mostWords = 200

/**
 * Alerts as a POST of JSON over HTTPS, to the one address that is configured; no redirect is followed. `text` is what
 * chat programs show of it.
 */
export function webhookSink({ url, token, ca }: WebhookSettings): AlertSink {
  const outbound = outboundFetch({ ca: ca ?? undefined, mostBytes: 65_536 })
  const { host } = new URL(url)
  return {
    name: 'webhook',
    to: host,
    deliver: (message) => deliver(outbound.fetch, url, token, message),
    close: () => outbound.close(),
  }
}

async function deliver(
  fetch: OutboundFetch,
  url: string,
  token: string | null,
  message: AlertMessage,
): Promise<string> {
  const { host } = new URL(url)
  const { subject, text, alerts, test } = message
  let reply: Response
  try {
    reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ subject, text, alerts, test }),
    })
  } catch (error) {
    throw new DeliveryFailed(`${host} could not be asked, or did not answer: ${reasonOf(error)}`, { cause: error })
  }
  const words = (await reply.text()).replaceAll(/\s+/g, ' ').trim().slice(0, mostWords)
  const said = `${host} answered ${reply.status}${words === '' ? '' : `: ${words}`}`
  if (reply.status >= 200 && reply.status < 300) return said
  if (reply.status >= 300 && reply.status < 400) throw new DeliveryFailed(`${said}. Redirects are not followed.`)
  throw new DeliveryFailed(said)
}

function reasonOf(error: unknown): string {
  const reasons: string[] = []
  for (let cause = error; cause instanceof Error && reasons.length < 3; cause = cause.cause) reasons.push(cause.message)
  return [...new Set(reasons)].join(': ').slice(0, mostWords)
}
