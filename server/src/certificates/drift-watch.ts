import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { DriftFacts, Drifted, KeptChange } from './drift.ts'
import { drifted } from './drift.ts'
import type { ReplacementStore } from './replacement-store.ts'

export interface DriftWatchOptions {
  readonly cluster: string
  /** What the cluster has and what its members present at this moment. */
  readonly now: () => Omit<DriftFacts, 'changes'> & { readonly absent: KeptChange['absent'] }
  /** While somebody replaces it, differing is what is to be expected. */
  readonly isReplacing: () => boolean
  readonly board: Pick<HealthBoard, 'observe'>
  readonly store: Pick<ReplacementStore, 'changes' | 'addChange'>
  /** Somebody drifts who did not, or does not any more. */
  readonly onChange: (drift: Drifted, kind: 'began' | 'ended') => void
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Notes which certificate a cluster has from when on, and tells the board of the servers that present another one, which
 * makes that an incident like everything else that is wrong with a server. What drift is, is decided in drift.ts.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions
  #changes: readonly KeptChange[] | null = null
  #drifted = new Map<string, Drifted>()
  #cancel: () => void = () => {}
  #stopped = true

  constructor(options: DriftWatchOptions) {
    this.#options = options
  }

  /** Reads what is known of the past, then looks every few seconds, and whenever it is told to. Never rejects. */
  async start(): Promise<void> {
    const { store, cluster, logger } = this.#options
    this.#stopped = false
    this.#plan()
    try {
      this.#changes = await store.changes(cluster, CHANGES_READ)
    } catch (error) {
      // Without the past, why somebody drifts is not known; that somebody does still is.
      logger.warn({ err: error, cluster }, 'which certificates the cluster had could not be read')
      this.#changes = []
    }
    this.look()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  get drifted(): readonly Drifted[] {
    return [...this.#drifted.values()]
  }

  /** Newest first. */
  get changes(): readonly KeptChange[] {
    return this.#changes ?? []
  }

  /** Something that is presented, or what the cluster has, may be another than before. */
  look(): void {
    if (this.#changes === null || this.#stopped) return
    const now = this.#options.now()
    this.#noteCurrent(now.current, now.absent)
    if (this.#options.isReplacing()) return
    const found = drifted({ ...now, changes: this.changes })
    this.#become(new Map(found.map((drift) => [drift.member, drift])), now.members)
  }

  #noteCurrent(current: string | null, absent: KeptChange['absent']): void {
    const { clock, store, cluster, logger } = this.#options
    const [latest] = this.changes
    if (current === null || latest?.fingerprint === current) return
    const change = { at: clock.now(), fingerprint: current, before: latest?.fingerprint ?? null, absent }
    this.#changes = [change, ...this.changes].slice(0, CHANGES_READ)
    store
      .addChange(cluster, change)
      .catch((error: unknown) => logger.warn({ err: error, cluster }, 'a change of the certificate is not kept'))
  }

  #become(found: Map<string, Drifted>, members: DriftFacts['members']): void {
    const { board, onChange } = this.#options
    const before = this.#drifted
    this.#drifted = found
    for (const drift of found.values()) {
      const known = before.get(drift.member)
      if (known?.fingerprint === drift.fingerprint && known.reason === drift.reason) continue
      board.observe(drift.member, { kind: 'certificate', agrees: false, message: drift.reason })
      if (known === undefined) onChange(drift, 'began')
    }
    for (const [member, drift] of before) {
      if (found.has(member)) continue
      // Who does not answer now has not agreed; its silence is told as such, and it is looked at when it is back.
      board.observe(member, { kind: 'certificate', agrees: true })
      if (members.some((each) => each.member === member && each.answers)) onChange(drift, 'ended')
    }
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.look()
      if (!this.#stopped) this.#plan()
    })
  }
}

const LOOK_EVERY_MS = 2_000
const CHANGES_READ = 50
