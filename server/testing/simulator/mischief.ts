import type { WireRequest } from '../../src/gateway/exchange.ts'
import type { Chance } from './chance.ts'
import type { Said } from './simulated-cluster.ts'
import { failure } from './simulated-cluster.ts'

const fates = [
  /** The connection turns out to be gone before a byte is written. */
  'lost-before',
  /** It is lost when the request is on its way: nobody will read it. */
  'lost-on-the-way',
  /** It is lost when the request has been carried out. */
  'lost-after',
  /** The same, and the client below believes that it may begin again. */
  'begun-again',
  /** It is lost in the middle of the answer. */
  'lost-within',
  /** It has been carried out, and nobody says so. */
  'no-answer',
  /** Somebody on the way answers instead of the member that has carried it out. */
  'answered-502',
  /** Incus fails after it has done its work, with the same words as before it began. */
  'answered-503',
  'answered-nonsense',
] as const

export type Fate = 'none' | (typeof fates)[number]

/** What happens to single requests, on top of what happens to members. */
export class Mischief {
  readonly #chance: Chance
  readonly #share: { readonly reads: number; readonly changes: number }
  active = true

  constructor(chance: Chance, share: { readonly reads: number; readonly changes: number }) {
    this.#chance = chance
    this.#share = share
  }

  fateOf({ method }: WireRequest): Fate {
    const share = method === 'GET' ? this.#share.reads : this.#share.changes
    return this.active && this.#chance.chance(share) ? this.#chance.oneOf(fates) : 'none'
  }

  distort(said: Said, fate: Fate): Said {
    const headers = {}
    switch (fate) {
      case 'answered-502':
        return { status: 502, headers, body: Buffer.from('<html>Bad gateway</html>') }
      case 'answered-503':
        return failure(503, this.#chance.oneOf(['Daemon is starting up', 'Incus is shutting down']))
      case 'answered-nonsense':
        return { status: 200, headers, body: Buffer.from('HTTP/1.0') }
      case 'none':
      case 'lost-before':
      case 'lost-on-the-way':
      case 'begun-again':
      case 'lost-after':
      case 'lost-within':
      case 'no-answer':
        return said
    }
  }
}
