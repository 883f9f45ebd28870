import type { Exchange, WireRequest } from '../../src/gateway/exchange.ts'
import type { GatewaySettings } from '../../src/gateway/gateway-settings.ts'
import { MemberError } from '../../src/gateway/member-error.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Referee } from './referee.ts'

/** More than people here ask for at once. */
const plenty = 64

type Kind = 'read' | 'list' | 'mutate'

interface Attempt {
  readonly exchange: Exchange
  abandoned: boolean
  /** Another one has begun in its place, free of charge. */
  followed: boolean
}

/**
 * What the gateway of one console sends: nothing to whom it does not trust, no more at once to one member than allowed,
 * and no more second attempts than the budget pays for.
 */
export class UpstreamLedger {
  readonly #settings: GatewaySettings
  readonly #clock: Clock
  readonly #referee: Referee
  readonly #isUntrusted: (member: string) => boolean
  readonly #underWay = new Map<string, Set<Exchange>>()
  /** The attempts of each read, whose path says which read it is. */
  readonly #attempts = new Map<string, Attempt[]>()
  #since: number
  #reads = 0
  #paid = 0

  constructor(settings: GatewaySettings, clock: Clock, referee: Referee, isUntrusted: (member: string) => boolean) {
    this.#settings = settings
    this.#clock = clock
    this.#referee = referee
    this.#isUntrusted = isUntrusted
    this.#since = clock.monotonic()
  }

  /** A console begins, and knows nothing of what the one before had under way. */
  beginAnew(): void {
    this.#underWay.clear()
    this.#attempts.clear()
    this.#since = this.#clock.monotonic()
    this.#reads = 0
    this.#paid = 0
  }

  /** Somebody asks the gateway something. */
  read(): void {
    this.#reads += 1
  }

  /** The gateway asks a member. */
  asked(member: string, wire: WireRequest, exchange: Exchange): void {
    this.#referee.expect(!this.#isUntrusted(member), () => `${wire.path} is sent to ${member}, which is not trusted`)
    const kind = kindOf(wire)
    this.#count(member, kind, exchange)
    if (kind !== 'mutate') this.#pay(wire.path, exchange)
  }

  #count(member: string, kind: Kind, exchange: Exchange): void {
    const key = `${member} ${kind}`
    const underWay = this.#underWay.get(key) ?? new Set()
    this.#underWay.set(key, underWay)
    for (const other of underWay) if (other.settled) underWay.delete(other)
    underWay.add(exchange)
    const { size } = underWay
    const { readsPerMember, listsPerMember, mutationsPerMember } = this.#settings.limits
    const most = { read: readsPerMember, list: listsPerMember, mutate: mutationsPerMember }[kind]
    this.#referee.expect(size <= most, () => `${member} has ${size} ${kind} requests under way, ${most} are allowed`)
  }

  /**
   * Only where nobody waits for a turn: an attempt that does is not to be seen here, and moving on from it is free, even
   * if others were sent before.
   */
  #pay(path: string, exchange: Exchange): void {
    const { hedging, limits } = this.#settings
    if (limits.readsPerMember < plenty) return
    // Of what is asked for again and again the path does not tell which read it is.
    if (!/[?&](n|look)=/.test(path)) return
    const before = this.#attempts.get(path) ?? []
    const attempt: Attempt = { exchange, abandoned: false, followed: false }
    this.#attempts.set(path, [...before, attempt])
    exchange.reply.catch((error: unknown) => {
      attempt.abandoned = error instanceof MemberError && error.abandoned
    })
    if (before.length === 0) return
    // Moving on before a byte was written costs no token, nor does it when probes found out about the member.
    const left = before.find(({ exchange, abandoned, followed }) => !followed && (abandoned || !exchange.sent))
    if (left !== undefined) {
      left.followed = true
      return
    }
    this.#paid += 1
    const seconds = (this.#clock.monotonic() - this.#since) / 1_000
    const earned = hedging.budgetCapacity + this.#reads * hedging.budgetPerRequest + seconds * hedging.budgetPerSecond
    this.#referee.expect(this.#paid <= earned + 1e-6, () => {
      return `${this.#paid} second attempts for ${this.#reads} reads; the budget pays for ${earned.toFixed(1)}`
    })
  }
}

function kindOf({ method, path }: WireRequest): Kind {
  if (method !== 'GET') return 'mutate'
  return /^\/1\.0\/(things|operations)\//.test(path) && !path.includes('class=list') ? 'read' : 'list'
}
