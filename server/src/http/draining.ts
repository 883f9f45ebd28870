import type { Server } from 'node:http'
import { type Clock, sleep } from '../lib/clock.ts'

export interface DrainingTimes {
  /** Between the first sign of stopping and the last new request, so that a load balancer has noticed. Default 5 s. */
  readonly graceMs?: number
  /** In all, after which what is still open is cut. Default 28 s: whoever stops us waits 30. */
  readonly mostMs?: number
}

const IDLE_CHECK_MS = 100

/**
 * How this replica stops without anybody noticing. `serving`: not at all. `leaving`: readyz says so, and everything is
 * still served. `draining`: no new work; what runs is finished.
 */
export class Draining {
  #phase: 'serving' | 'leaving' | 'draining' = 'serving'

  get phase(): 'serving' | 'leaving' | 'draining' {
    return this.#phase
  }

  /**
   * Stops taking new work, says goodbye to open streams, waits for what runs, and closes the server. Resolves when the
   * last connection is gone or the time is up. Never rejects.
   *
   * @param sayGoodbye tells every live stream where to go; called once, when no new one can come any more.
   */
  async drain(server: Server, clock: Clock, sayGoodbye: () => void, times: DrainingTimes = {}): Promise<void> {
    const { graceMs = 5_000, mostMs = 28_000 } = times
    if (this.#phase !== 'serving') return
    this.#phase = 'leaving'
    await sleep(clock, graceMs)
    this.#phase = 'draining'
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    sayGoodbye()
    const stopChecking = closeWhatIsIdle(server, clock)
    const timeIsUp = new AbortController()
    void closed.then(() => timeIsUp.abort())
    await sleep(clock, Math.max(0, mostMs - graceMs), timeIsUp.signal)
    stopChecking()
    server.closeAllConnections()
    await closed
  }
}

/** A connection whose last answer is out would otherwise stay open for the next request, which must not come. */
function closeWhatIsIdle(server: Server, clock: Clock): () => void {
  let cancel = (): void => {}
  const check = (): void => {
    server.closeIdleConnections()
    cancel = clock.after(IDLE_CHECK_MS, check)
  }
  check()
  return () => cancel()
}
