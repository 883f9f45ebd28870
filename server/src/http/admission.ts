import { LRUCache } from 'lru-cache'
import { networkOf } from '../lib/network-of.ts'
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
  const people = new LRUCache<string, number>({ max: MOST_ADDRESSES })
  const hasPeople = (from: string): boolean => clock.monotonic() - (people.get(from) ?? -Infinity) < REMEMBERED_MS
  return async (exchange) => {
    refuseCrossSite(door, exchange)
    const from = networkOf(exchange.client.ip)
    if (exchange.path.raw === openDescription) {
      ofStranger.take(from)
      return
    }
    const { headers } = exchange.request
    // What a made-up cookie opens is looked for in the database, and a stranger could make that do nothing else. Where
    // somebody signed in comes from too, they must not suffer for what a neighbour does.
    if (ofStranger.isSpent(from) && !hasPeople(from)) ofStranger.take(from)
    const found = await findSession(headers.cookie)
    if (found.kind === 'found') {
      const { principal } = found.session
      exchange.session = found.session
      people.set(from, clock.monotonic())
      ofSession.take(principal.sessionTag)
      // The page says whose it is: the cookie may be somebody else's by now, and what they are told must not appear in it.
      const person = headers['x-malleus-person']
      if (person !== undefined && person !== personTag(principal)) throw new Refusal('other_person')
      return
    }
    ofStranger.take(from)
    if (found.kind === 'none') throw new Refusal('not_signed_in')
    if (found.cookies !== undefined) exchange.response.setHeader('set-cookie', [...found.cookies])
    throw new Refusal(found.renewed === true ? 'session_renewed' : 'session_expired')
  }
}

const MOST_ADDRESSES = 10_000
const REMEMBERED_MS = 10 * 60_000

/** The only part of the API that is for everybody. */
export const openDescription = '/api/openapi.json'

export function refuseCrossSite({ settings }: Door, { method, request }: Exchange): void {
  const reason = crossSiteReason(method, request.headers, settings.origin)
  if (reason !== undefined) throw new Refusal('cross_site', `Refused: ${reason}.`)
}
