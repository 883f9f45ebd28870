import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Download } from './download.ts'

export interface DownloadTicketsOptions {
  readonly clock: Clock
  readonly random: Random
}

/** How long a ticket may wait to be used. */
const LIVES_MS = 30_000
const MOST_TICKETS = 1_000

interface Ticket {
  readonly session: string
  readonly download: Download
  readonly until: number
}

/**
 * What was prepared to be downloaded by opening an address, which cannot carry the header that every other request has:
 * a ticket of 256 bits that is good once, soon, and in the session that asked for it.
 */
export class DownloadTickets {
  readonly #options: DownloadTicketsOptions
  readonly #tickets = new Map<string, Ticket>()

  constructor(options: DownloadTicketsOptions) {
    this.#options = options
  }

  /** The path under which the session may download it. @param livesMs default half a minute. */
  give(session: string, download: Download, livesMs = LIVES_MS): string {
    const { clock, random } = this.#options
    this.#forget()
    const ticket = Buffer.from(random.bytes(32)).toString('base64url')
    this.#tickets.set(ticket, { session, download, until: clock.monotonic() + livesMs })
    return `/d/${ticket}`
  }

  /** Uses a ticket; undefined where there is none, or it is another session's, which does not use it up. */
  take(ticket: string, session: string): Download | undefined {
    this.#forget()
    const found = this.#tickets.get(ticket)
    if (found === undefined || found.session !== session) return undefined
    this.#tickets.delete(ticket)
    return found.download
  }

  /** The oldest make room, so that nobody can fill the memory with what they never fetch. */
  #forget(): void {
    const now = this.#options.clock.monotonic()
    for (const [ticket, { until }] of this.#tickets) {
      if (until <= now || this.#tickets.size >= MOST_TICKETS) this.#tickets.delete(ticket)
    }
  }
}
