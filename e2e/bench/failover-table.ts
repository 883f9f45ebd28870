// What is said of the samples of `failover`. Pure.

import type { ListAnswer } from './list-answer.ts'
import { formatMs, formatRatio } from './markdown.ts'
import type { Bound } from './report.ts'
import { maximum, percentile } from './statistics.ts'

export const faultRows = ['killed', 'stopped', 'cut off', 'slow', 'starting'] as const
export type FaultRow = (typeof faultRows)[number]
/** Reads before the faults. */
export const healthyRow = 'healthy'
export type Row = FaultRow | typeof healthyRow

export const fronts = [
  'direct',
  'DNS, curl',
  'DNS, incus',
  'haproxy, TCP check',
  'haproxy, HTTP check',
  'keepalived',
  'ECMP with BFD',
  'Malleus',
] as const
export type Front = (typeof fronts)[number]

/** How one wanted read fared. */
export interface Sample {
  readonly row: Row
  readonly attempt: number
  readonly front: Front
  /** When it was wanted, from the fault. */
  readonly at: number
  /** How late it was sent. */
  readonly lagMs: number
  /** Until it succeeded; until it was given up, when it never did. */
  readonly ms: number
  readonly answered: boolean
  readonly failed: boolean
  readonly answer: ListAnswer
}

export interface Cell {
  readonly count: number
  readonly p99: number
  readonly worst: number
  readonly failed: number
  /** Reads that were given up: `p99` and `worst` may then be longer than they say. */
  readonly givenUp: number
}

export function cellOf(samples: readonly Sample[], row: Row, front: Front): Cell {
  const own = samples.filter((sample) => sample.row === row && sample.front === front)
  // What was given up took at least as long as anything that succeeded.
  const ms = own.map((sample) => (sample.answered ? sample.ms : Math.max(sample.ms, ...own.map((each) => each.ms))))
  return {
    count: own.length,
    p99: percentile(ms, 0.99),
    worst: maximum(ms),
    failed: own.filter(({ failed }) => failed).length,
    givenUp: own.filter(({ answered }) => !answered).length,
  }
}

/** p99, worst, and failed reads of a cell. */
export function markdownCells(samples: readonly Sample[], row: Row, front: Front): string {
  const { count, p99, worst, failed, givenUp } = cellOf(samples, row, front)
  const more = (ms: number): string => `${givenUp > 0 && ms >= worst ? '> ' : ''}${formatMs(ms)}`
  return `${more(p99)} / ${more(worst)}; ${failed} of ${count}`
}

/** The faults that every other way notices late or never. */
const silent: readonly FaultRow[] = ['stopped', 'starting', 'cut off']
const rivals: readonly Front[] = ['haproxy, HTTP check', 'DNS, curl', 'DNS, incus']

/** What is promised, for the rows that were measured. `onTime`: the machine was quick enough to tell. */
export function bounds(samples: readonly Sample[], rows: readonly FaultRow[], onTime: boolean): Bound[] {
  const verdict = (kept: boolean): Bound['verdict'] => (onTime ? (kept ? 'kept' : 'missed') : 'undecided')
  const promised = silent
    .filter((row) => rows.includes(row))
    .flatMap((row) => {
      const own = cellOf(samples, row, 'Malleus')
      return [
        {
          claim: `${row}: p99 through Malleus ≤ 300 ms`,
          measured: formatMs(own.p99),
          verdict: verdict(own.p99 <= 300),
        },
        {
          claim: `${row}: no read through Malleus fails`,
          measured: `${own.failed} of ${own.count}`,
          verdict: verdict(own.failed === 0),
        },
        ...rivals.map((rival) => {
          const ratio = cellOf(samples, row, rival).p99 / own.p99
          return {
            claim: `${row}: p99 at least 20 times better than ${rival}`,
            measured: formatRatio(ratio, 1),
            verdict: verdict(ratio >= 20),
          }
        }),
      ]
    })
  return rows.includes('slow') ? [...promised, ...slowBounds(samples, verdict)] : promised
}

/** A slow server is named by then, and requests prefer the others. */
const namedAfterMs = 2_000

/** With the first moments, in which every third read may meet the slow member and is hedged; and without them. */
function slowBounds(samples: readonly Sample[], verdict: (kept: boolean) => Bound['verdict']): Bound[] {
  const healthy = cellOf(samples, healthyRow, 'Malleus').p99
  const bound = (when: string, among: readonly Sample[]): Bound => {
    const ratio = cellOf(among, 'slow', 'Malleus').p99 / healthy
    return {
      claim: `slow${when}: p99 through Malleus ≤ 1.5 × its p99 when all are healthy`,
      measured: formatRatio(ratio, 1),
      verdict: verdict(ratio <= 1.5),
    }
  }
  const known = samples.filter(({ at }) => at >= namedAfterMs)
  return [bound('', samples), bound(` from ${namedAfterMs / 1_000} s after the fault on`, known)]
}
