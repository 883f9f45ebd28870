// When a path is visited, and how many clients begin at once: pure.
//
// A cold handshake costs 4.5 to 7.5 ms of CPU, so that in quiet a path gets one or two every five seconds. When
// something changes, as many as there are servers: one of them would meet a server that is out with luck only.

import type { PathKind } from '@malleus/shared/api/access-paths.ts'

export const quietEveryMs = 5_000
export const changingEveryMs = 1_000
/** For how long after a change it is visited each second. */
export const changingForMs = 30_000
/** So many connections of one round at most. */
export const mostAtOnce = 12

export interface RoundInput {
  readonly kind: PathKind
  /** Where its name leads, or its own address. */
  readonly addresses: readonly string[]
  readonly members: number
  readonly changing: boolean
  /** Counts rounds, so that what does not fit into one gets its turn in the next. */
  readonly turn: number
}

/** The address of each connection to begin now. */
export function planRound({ kind, addresses, members, changing, turn }: RoundInput): readonly string[] {
  if (addresses.length === 0) return []
  const turned = addresses.map((_, at) => addresses[(at + turn) % addresses.length] ?? '')
  if (kind === 'dns') return turned.slice(0, mostAtOnce / 2)
  const count = Math.min(mostAtOnce, connections(kind, members, changing))
  return Array.from({ length: count }, (_, at) => turned[at % turned.length] ?? '')
}

function connections(kind: PathKind, members: number, changing: boolean): number {
  if (kind === 'ecmp') return changing ? 2 * members : 2
  if (kind === 'load-balancer') return changing ? members : 1
  return 1
}
