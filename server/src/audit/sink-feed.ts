import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AttestationStore } from './attestation-store.ts'
import { parseAttestation } from './attestation.ts'
import type { AuditStore } from './audit-store.ts'
import type { SinkPlace, SinkStore } from './sink-store.ts'
import type { Sink, SinkLine } from './sink.ts'

export interface SinkFeedOptions {
  readonly sink: Sink
  readonly places: SinkStore
  readonly records: Pick<AuditStore, 'after'>
  readonly attestations: Pick<AttestationStore, 'after'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const BATCH = 500
const FIRST_RETRY_MS = 1000
const MOST_RETRY_MS = 60_000
const LAST_TRY_MS = 2000

/**
 * Carries to one sink what it has not got yet, in order and at least once. What waits for it is not kept a second time:
 * the history is on the disk already, and how far the sink has got stands beside it, so a sink that was away for a week
 * or a console that was killed go on where they were.
 */
export class SinkFeed {
  readonly #options: SinkFeedOptions
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined
  #again = false
  #failures = 0

  constructor(options: SinkFeedOptions) {
    this.#options = options
  }

  /** There is something new. Returns at once. */
  poke(): void {
    this.#again = true
    if (this.#stopped.signal.aborted) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.poke()
    })
  }

  get wantsRecords(): boolean {
    return this.#options.sink.wantsRecords
  }

  /** Tries for two more seconds to deliver what is left; the rest goes with the next start. */
  async stop(): Promise<void> {
    const { clock, sink } = this.#options
    if (this.#failures === 0) {
      this.poke()
      await Promise.race([this.#running, sleep(clock, LAST_TRY_MS)])
    }
    this.#stopped.abort()
    await sink.close()
  }

  async #run(): Promise<void> {
    const { clock, random, logger, sink } = this.#options
    while (this.#again && !this.#stopped.signal.aborted) {
      this.#again = false
      try {
        while (!this.#stopped.signal.aborted && (await this.#carry())) this.#recovered()
      } catch (error) {
        this.#failures += 1
        // Once: a collector that is away is not back sooner for a line each minute.
        if (this.#failures === 1)
          logger.warn({ err: error, sink: sink.name }, 'A sink of the access history takes nothing')
        this.#again = true
        await sleep(clock, backoffMs(this.#failures, FIRST_RETRY_MS, MOST_RETRY_MS, random), this.#stopped.signal)
      }
    }
  }

  /** @returns whether there was anything to carry. */
  async #carry(): Promise<boolean> {
    const { sink, places } = this.#options
    const place = await places.place(sink.name)
    const { lines, next } = await this.#linesAfter(place)
    if (lines.length === 0) return false
    await sink.deliver(lines)
    await places.move(sink.name, next)
    return true
  }

  /** Records before what was signed of them, so that whoever reads along knows what an attestation speaks of. */
  async #linesAfter(place: SinkPlace): Promise<{ readonly lines: readonly SinkLine[]; readonly next: SinkPlace }> {
    const { sink, records, attestations } = this.#options
    const wanted = sink.wantsRecords ? await records.after(place.position, BATCH) : []
    if (wanted.length > 0) {
      const lines = wanted.map(({ at, text }) => ({ kind: 'record' as const, at: new Date(at).toISOString(), text }))
      return { lines, next: { ...place, position: wanted.at(-1)?.position ?? place.position } }
    }
    const said = await attestations.after(place.attestation, BATCH)
    const lines = said.map(({ text }) => ({
      kind: 'attestation' as const,
      at: parseAttestation(text)?.at ?? new Date(0).toISOString(),
      text,
    }))
    return { lines, next: { ...place, attestation: said.at(-1)?.number ?? place.attestation } }
  }

  #recovered(): void {
    const { logger, sink } = this.#options
    if (this.#failures > 0) logger.info({ sink: sink.name }, 'A sink of the access history takes lines again')
    this.#failures = 0
  }
}
