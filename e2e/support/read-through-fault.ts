import { setTimeout as pause } from 'node:timers/promises'
import type { Reader } from '../bench/reader.ts'
import { percentile } from '../bench/statistics.ts'
import type { Outcome } from '../bench/timed-read.ts'
import type { SignedIn } from './signed-in.ts'

export interface ReadOptions {
  readonly person: SignedIn
  /** Read in turns. */
  readonly paths: readonly string[]
  readonly perSecond: number
  readonly ms: number
}

/** How readers fared. */
export interface Fared {
  readonly reads: number
  readonly p99Ms: number
  /** What came instead of an answer, a line each. */
  readonly failures: readonly string[]
  /** How late reads were sent, p99: how busy this very machine was. */
  readonly lagMs: number
}

/** Reads at a steady rate whatever becomes of the reads before, each on a connection of its own. */
export async function readSteadily(reader: Reader, options: ReadOptions): Promise<Fared> {
  const { person, paths, perSecond, ms } = options
  const { hostname: host, port } = new URL(person.url)
  const begun = performance.now()
  const taken: Promise<{ path: string; outcome: Outcome; lagMs: number }>[] = []
  for (let dueAt = 0; dueAt < ms; dueAt += 1_000 / perSecond) {
    const waitMs = begun + dueAt - performance.now()
    if (waitMs > 0) await pause(waitMs)
    const path = paths[taken.length % paths.length] ?? '/'
    const lagMs = performance.now() - begun - dueAt
    const read = { kind: 'request', host, port: Number(port), path, headers: person.headers } as const
    taken.push(reader.read(read, patienceMs).then((outcome) => ({ path, outcome, lagMs })))
  }
  const all = await Promise.all(taken)
  return {
    reads: all.length,
    p99Ms: percentile(
      all.map(({ outcome }) => outcome.ms),
      0.99,
    ),
    failures: all.flatMap(({ path, outcome }) => describeFailure(path, outcome)),
    lagMs: percentile(
      all.map((one) => one.lagMs),
      0.99,
    ),
  }
}

/** Far beyond every deadline of the console. */
const patienceMs = 20_000

function describeFailure(path: string, outcome: Outcome): string[] {
  if (outcome.kind === 'failed') return [`${path}: ${outcome.why}`]
  return outcome.status === 200 ? [] : [`${path}: ${outcome.status} ${outcome.body.slice(0, 200)}`]
}
