import { setTimeout as pause } from 'node:timers/promises'
import type { LiveClient } from './live-client.ts'
import type { BrowserReply, TestBrowser } from './test-browser.ts'

// What the page of the console does by itself when something is in its way: web/src/api/query-client.ts for reads,
// web/src/api/follow-live.ts for the live stream.

/** Reads as the page does: a console that is away is asked again for some seconds. Rejects when it stays away. */
export async function readPatiently(browser: TestBrowser, path: string): Promise<BrowserReply> {
  for (let failures = 0; ; failures += 1) {
    const outcome = await browser.get(path).catch((error: unknown) => error)
    const isAway = !isReply(outcome) || (outcome.status === 503 && outcome.text.includes('"draining"'))
    if (isReply(outcome) && !isAway) return outcome
    if (failures === 8) throw new Error(`${path} failed though it was tried again`, { cause: outcome })
    await pause(Math.min(1_500, 300 * 2 ** failures) + 300 * Math.random())
  }
}

const silenceMs = 7_000

/** When a stream was live and when it was not, in milliseconds since 1970, oldest first. */
export interface Break {
  readonly brokenAt: number
  readonly backAt: number
}

/** Keeps a live stream open as the page does, until it is told to stop. */
export class PatientStream {
  readonly breaks: Break[] = []
  readonly #live: LiveClient
  /** Three missed heartbeats mean that a connection is dead. */
  readonly #silence = setInterval(() => this.#cutWhenSilent(), 500)
  #openedAt = Date.now()
  #stopped = false

  /** @param live a stream that is open. */
  constructor(live: LiveClient) {
    this.#live = live
    void this.#follow()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#silence)
    this.#live.cut()
  }

  #cutWhenSilent(): void {
    const heardAt = Math.max(this.#openedAt, this.#live.told.at(-1)?.at ?? 0)
    if (Date.now() - heardAt > silenceMs) this.#live.cut()
  }

  async #follow(): Promise<void> {
    for (;;) {
      await this.#live.ended
      const brokenAt = Date.now()
      if (this.#stopped) return
      await pause(this.#waitAfterEnd())
      for (let failures = 1; (await this.#open()) !== 200; failures += 1) {
        if (this.#stopped) return
        await pause(Math.min(1_400, 250 * 2 ** (failures - 1)) * (0.75 + 0.5 * Math.random()))
      }
      this.breaks.push({ brokenAt, backAt: Date.now() })
    }
  }

  #open(): Promise<number> {
    this.#openedAt = Date.now()
    return this.#live.open().catch(() => 0)
  }

  #waitAfterEnd(): number {
    const last = this.#live.told.at(-1)?.event
    return last?.kind === 'goaway' ? Math.random() * last.withinMs : 200 * Math.random()
  }
}

function isReply(outcome: unknown): outcome is BrowserReply {
  return typeof outcome === 'object' && outcome !== null && 'status' in outcome
}
