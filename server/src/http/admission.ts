import { networkOf } from './client-address.ts'
import { personTag } from '../lib/person-tag.ts'
import type { Door } from './door.ts'
import type { Exchange } from './exchange.ts'
import { Refusal } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { crossSiteReason } from './same-origin.ts'

/** Lets a request of the API in, with the session it came with, or throws why not. */
export type Admit = (exchange: Exchange) => Promise<void>

/** Refuses what other sites sent, finds the session, and holds each to their rate: people by session, strangers by address. */
export function admission(door: Door): Admit {
  const { findSession, settings, clock } = door
  const { requestsPerSecond, requestBurst, anonymousPerSecond } = settings.limits
  const ofSession = new RateLimit({ perSecond: requestsPerSecond, burst: requestBurst, clock })
  const ofStranger = new RateLimit({ perSecond: anonymousPerSecond, clock })
  return async (exchange) => {
    refuseCrossSite(door, exchange)
    if (exchange.path.raw === openDescription) return
    const { headers } = exchange.request
    const found = await findSession(headers.cookie)
    if (found.kind === 'found') {
      const { principal } = found.session
      exchange.session = found.session
      ofSession.take(principal.sessionTag)
      // The page says whose it is: the cookie may be somebody else's by now, and what they are told must not appear in it.
      const person = headers['x-malleus-person']
      if (person !== undefined && person !== personTag(principal)) throw new Refusal('other_person')
      return
    }
    ofStranger.take(networkOf(exchange.client.ip))
    if (found.kind === 'none') throw new Refusal('not_signed_in')
    if (found.cookies !== undefined) exchange.response.setHeader('set-cookie', [...found.cookies])
    throw new Refusal('session_expired')
  }
}

/** The only part of the API that is for everybody. */
export const openDescription = '/api/openapi.json'

export function refuseCrossSite({ settings }: Door, { method, request }: Exchange): void {
  const reason = crossSiteReason(method, request.headers, settings.origin)
  if (reason !== undefined) throw new Refusal('cross_site', `Refused: ${reason}.`)
}
