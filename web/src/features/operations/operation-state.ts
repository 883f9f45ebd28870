import type { Freshness } from '@malleus/shared/api/freshness.ts'
import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import type { Shape, Tone } from '../../ui/StateMark.tsx'

/** How an operation is, as the table says it; by these words it is filtered too. */
export type StateName = 'running' | 'done' | 'failed' | 'cancelled' | 'unknown'

export const stateNames: readonly { readonly id: StateName; readonly text: string }[] = [
  { id: 'running', text: 'Running' },
  { id: 'done', text: 'Done' },
  { id: 'failed', text: 'Failed' },
  { id: 'cancelled', text: 'Cancelled' },
  { id: 'unknown', text: 'Outcome unknown' },
]

const names: Readonly<Record<Operation['status'], StateName>> = {
  pending: 'running',
  running: 'running',
  cancelling: 'running',
  success: 'done',
  failure: 'failed',
  cancelled: 'cancelled',
  unknown: 'unknown',
}

export function stateName({ status }: Pick<Operation, 'status'>): StateName {
  return names[status]
}

export interface OperationState {
  readonly tone: Tone
  readonly shape: Shape
  readonly word: string
  /** Set where it is only the last known: as of when, and why it is not known now. */
  readonly old: { readonly asOf: string; readonly reason: string } | null
}

const looks: Readonly<Record<Operation['status'], Omit<OperationState, 'old'>>> = {
  pending: { tone: 'info', shape: 'pending', word: 'Waiting' },
  running: { tone: 'info', shape: 'pending', word: 'Running' },
  cancelling: { tone: 'info', shape: 'pending', word: 'Cancelling' },
  success: { tone: 'good', shape: 'check', word: 'Done' },
  failure: { tone: 'bad', shape: 'cross', word: 'Failed' },
  cancelled: { tone: 'warning', shape: 'alert', word: 'Cancelled' },
  unknown: { tone: 'unknown', shape: 'question', word: 'Unknown' },
}

/** @param freshness of what is known of the server where it runs; undefined where there is none. */
export function stateOf(operation: Operation, freshness: Freshness | undefined): OperationState {
  const look = looks[operation.status]
  if (operation.looking) return { ...look, word: 'Looking', old: null }
  if (isFinished(operation) || freshness === undefined || freshness.kind === 'fresh') return { ...look, old: null }
  const asOf = freshness.kind === 'stale' ? freshness.asOf : operation.heardAt
  return { tone: 'unknown', shape: look.shape, word: look.word, old: { asOf, reason: freshness.reason } }
}

/** How long it took, or has taken so far, in milliseconds; null where nobody saw its end. */
export function tookMs(operation: Operation, now: number): number | null {
  const { createdAt, endedAt } = operation
  if (endedAt !== null) return Math.max(0, Date.parse(endedAt) - Date.parse(createdAt))
  return isFinished(operation) ? null : Math.max(0, now - Date.parse(createdAt))
}
