// How long new clients of a path wait for their first answer: pure.
//
// A client that is turned away goes on: with a name, to the next address at once, as curl, browsers and Go do (RFC 8305);
// else it tries again, and has its answer with the next client that gets one. A client that hears nothing waits.

import type { PathKind } from '@malleus/shared/api/access-paths.ts'
import type { Visit } from './access-path.ts'

/** One new client whose wait is over. */
export interface Client {
  /** Wall clock. */
  readonly startedAt: number
  readonly waitedMs: number
  /** False where it was given up without an answer. */
  readonly answered: boolean
}

/** A client that was turned away and has not got its answer yet. */
export interface TurnedAway {
  readonly startedAt: number
  readonly round: number
  readonly waitedMs: number
}

export interface Clients {
  readonly turnedAway: readonly TurnedAway[]
  readonly done: readonly Client[]
}

/** Longer, and a client that was turned away has given up. */
export const patienceMs = 35_000

/** What the end of a visit means for the clients of a path; `done` are those whose wait is over by it. `now` is wall clock. */
export function clientsAfter(kind: PathKind, before: readonly TurnedAway[], visit: Visit, now: number): Clients {
  const { end, startedAt, round } = visit
  const gone = before.filter((client) => now - client.startedAt > patienceMs)
  const waiting = before.filter((client) => now - client.startedAt <= patienceMs)
  const given = gone.map((client): Client => ({ startedAt: client.startedAt, waitedMs: patienceMs, answered: false }))
  if (end.kind === 'answered') {
    const served = waiting.map((client): Client => {
      const waitedMs =
        kind === 'dns' && client.round === round
          ? client.waitedMs + end.ms
          : Math.max(client.waitedMs, startedAt + end.ms - client.startedAt)
      return { startedAt: client.startedAt, waitedMs, answered: true }
    })
    return { turnedAway: [], done: [...given, ...served, { startedAt, waitedMs: end.ms, answered: true }] }
  }
  if (end.pending) return { turnedAway: waiting, done: given }
  if (end.how === 'silent')
    return { turnedAway: waiting, done: [...given, { startedAt, waitedMs: end.ms, answered: false }] }
  return { turnedAway: [...waiting, { startedAt, round, waitedMs: end.ms }], done: given }
}

/** The value below which so large a part of them lies; null of none. */
export function quantile(values: readonly number[], part: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? null
}
