import type { KeyObject } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import { attest } from './attestation.ts'
import type { PrunedRun } from './attestation.ts'
import type { AttestationStore } from './attestation-store.ts'
import type { AuditStore, StoredLine } from './audit-store.ts'
import { parseRecord } from './record.ts'
import { isPlainlySound, whyUnsound } from './sound.ts'

export interface PruneOptions {
  readonly records: Pick<AuditStore, 'after'>
  readonly attestations: AttestationStore
  readonly signing: KeyObject
  readonly clock: Pick<Clock, 'now'>
  /** Milliseconds since 1970; what is older goes. */
  readonly before: number
  /** Only what came from there; null for all. */
  readonly source: 'console' | 'incus' | null
  /** Where to begin to look: a position before which nothing is to be pruned. Default 0. */
  readonly from?: number
  /** Called between pages; true ends it early. */
  readonly between?: () => Promise<boolean>
}

export interface Pruned {
  readonly count: number
  /** Where to begin the next time. */
  readonly from: number
}

/** What would be pruned is not what was written; nothing is removed, so that it can be looked into. */
export class WillNotPrune extends Error {
  override readonly name = 'WillNotPrune'
}

const PAGE = 2000
const MOST_TRIES = 5

/**
 * Removes what is older than a moment, page by page, each under a tombstone of its own that names what is gone by its
 * place and hash: what is left still holds. The last record of a chain stays, since what follows names it.
 *
 * @throws WillNotPrune when a record is not what was written.
 */
export async function pruneHistory(options: PruneOptions): Promise<Pruned> {
  const { records, before, between } = options
  const ends = new Set((await options.attestations.heads()).map(({ hash }) => hash))
  let position = options.from ?? 0
  let from: number | undefined
  let count = 0
  for (;;) {
    const lines = await records.after(position, PAGE)
    const last = lines.at(-1)
    if (last === undefined) break
    const old = lines.filter((line) => isWanted(line, options) && !ends.has(line.hash))
    if (old.length > 0) count += await bury(old, options)
    from ??= lines.find((line) => line.at >= before)?.position
    // Clocks are set back and some records come late, but not by a whole page of others.
    if (lines.every(({ at }) => at >= before)) break
    position = last.position
    if ((await between?.()) === true) break
  }
  return { count, from: (from ?? position + 1) - 1 }
}

function isWanted({ at, text }: StoredLine, { before, source }: PruneOptions): boolean {
  // Canonical text has the source in one place; inside of strings quotes are escaped.
  return at < before && (source === null || text.includes(`,"source":"${source}","src":`))
}

async function bury(lines: readonly StoredLine[], options: PruneOptions): Promise<number> {
  const { attestations, signing, clock, before, source } = options
  for (const line of lines) refuseTampered(line)
  const claim = {
    kind: 'tombstone' as const,
    before: instant(before),
    source,
    count: lines.length,
    runs: runsOf(lines),
  }
  const positions = lines.map(({ position }) => position)
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const tombstone = attest(claim, await attestations.last(), instant(clock.now()), signing)
    if (await attestations.bury(tombstone, positions)) return lines.length
  }
  throw new WillNotPrune('Others sign the history at the same time. Nothing more was removed; try again.')
}

function refuseTampered(line: StoredLine): void {
  if (isPlainlySound(line)) return
  const why = whyUnsound(line, parseRecord(line.text))
  if (why === undefined) return
  throw new WillNotPrune(
    `Record ${line.seq} of chain ${line.chain} is not what was written: ${why}. Nothing more was removed.`,
  )
}

/** What follows each other in a chain is one run. */
export function runsOf(lines: readonly StoredLine[]): PrunedRun[] {
  const runs: PrunedRun[] = []
  const latest = new Map<string, number>()
  for (const { chain, seq, hash } of lines) {
    const index = latest.get(chain) ?? -1
    const run = runs[index]
    if (run?.to === seq - 1) runs[index] = { ...run, to: seq, hash }
    else {
      latest.set(chain, runs.length)
      runs.push({ chain, from: seq, to: seq, hash })
    }
  }
  return runs
}
