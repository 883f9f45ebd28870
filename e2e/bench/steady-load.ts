import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from './timed-read.ts'

export interface SteadyLoad {
  /** Reads per second on each path. */
  readonly perSecond: number
  readonly seconds: number
  readonly signal: AbortSignal
}

export interface Timed {
  /** When it was due, in milliseconds from the beginning of the load. */
  readonly dueAt: number
  /** How much later than that it was sent; it is our own doing, and not part of `outcome.ms`. */
  readonly lagMs: number
  readonly outcome: Outcome
}

/**
 * Sends a read on every path at a steady rate whatever becomes of the ones before, evenly between each other, and gives
 * the outcomes by path when the last one has ended.
 */
export async function steadyLoad<Path extends string>(
  paths: Readonly<Record<Path, () => Promise<Outcome>>>,
  { perSecond, seconds, signal }: SteadyLoad,
): Promise<ReadonlyMap<string, readonly Timed[]>> {
  const sides = Object.entries<() => Promise<Outcome>>(paths)
  const gapMs = 1000 / perSecond / sides.length
  const results = new Map(sides.map(([path]) => [path, Array<Promise<Timed>>()]))
  const begun = performance.now()
  for (let count = 0; count < perSecond * seconds * sides.length; count++) {
    const dueAt = count * gapMs
    const wait = begun + dueAt - performance.now()
    if (wait > 0) await pause(wait, undefined, { signal })
    signal.throwIfAborted()
    const [path, read] = sides[count % sides.length] ?? []
    if (path === undefined || read === undefined) continue
    const lagMs = performance.now() - begun - dueAt
    results.get(path)?.push(read().then((outcome) => ({ dueAt, lagMs, outcome })))
  }
  const settled = [...results].map(async ([path, reads]) => [path, await Promise.all(reads)] as const)
  return new Map(await Promise.all(settled))
}
