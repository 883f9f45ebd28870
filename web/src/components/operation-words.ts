import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import type { Tone } from '../ui/StateMark.tsx'

/** The server that an operation is about, from the objects it works on; else the one it runs on. */
export function memberOf(operation: Operation): string | null {
  for (const resource of operation.resources) {
    const match = /\/cluster\/members\/([^/?]+)/.exec(resource)
    if (match?.[1] !== undefined) return decodeURIComponent(match[1])
  }
  return operation.location
}

const doing: Readonly<Record<string, string>> = {
  'Evacuating cluster member': 'Evacuating',
  'Restoring cluster member': 'Restoring',
}
const done: Readonly<Record<string, string>> = {
  'Evacuating cluster member': 'Evacuated',
  'Restoring cluster member': 'Restored',
}

/** "Evacuating server3": what is done, whatever became of it. */
export function operationName(operation: Operation): string {
  const ofServer = doing[operation.description]
  return ofServer === undefined ? operation.description : `${ofServer} ${memberOf(operation) ?? ''}`.trimEnd()
}

/** "Evacuating server3", "Evacuated server3", "Evacuating server3 failed". What Incus calls otherwise keeps Incus's words. */
export function operationTitle(operation: Operation): string {
  const now = operationName(operation)
  switch (operation.status) {
    case 'pending':
    case 'running':
      return now
    case 'cancelling':
      return `Cancelling: ${now}`
    case 'success':
      return now.replace(doing[operation.description] ?? '', done[operation.description] ?? '')
    case 'failure':
      return `${now} failed`
    case 'cancelled':
      return `${now} was cancelled`
    case 'unknown':
      return operation.looking ? `${now}: outcome unknown, looking` : `${now}: nobody saw how it ended`
  }
}

export function operationTone(operation: Operation): Tone {
  switch (operation.status) {
    case 'pending':
    case 'running':
    case 'cancelling':
      return 'info'
    case 'success':
      return 'good'
    case 'failure':
      return 'bad'
    case 'cancelled':
      return 'warning'
    case 'unknown':
      return 'unknown'
  }
}

/** What is happening in it, why it failed, or what to do where its end was not seen. */
export function operationDetail(operation: Operation): string {
  if (operation.status === 'failure') return operation.error ?? 'Incus gave no reason.'
  if (operation.status === 'unknown') return whatBecame(operation)
  return isFinished(operation) ? '' : (operation.progress ?? 'Incus has not reported progress yet.')
}

function whatBecame({ looking, found, description }: Operation): string {
  if (looking) return 'Incus no longer knows it. The console looks for what became of it.'
  if (found === 'done') return 'What it worked on is now as it was to become: it was done.'
  if (found === 'not-done') return 'What it worked on is not as it was to become: it was not done, or not to its end.'
  return doing[description] === undefined
    ? 'Look at what it worked on: what that is like now is what became of it.'
    : 'Look at the server itself: what it says now is what became of it.'
}

export function startedBy({ startedBy }: Operation): string {
  if (startedBy === null) return 'started elsewhere'
  return startedBy.here ? `started by ${startedBy.name}` : `started by ${startedBy.name}, not through this console`
}

/**
 * What the strip shows: all that runs, then what ended in the last half minute. What is done to a whole server comes
 * before the instances that it moves, which begin later; among equals, the newest first.
 */
export function shownOperations(operations: readonly Operation[], now: number, keepMs = 30_000): readonly Operation[] {
  const running = operations.filter((operation) => !isFinished(operation))
  const ended = operations.filter((row) => isFinished(row) && now - Date.parse(row.heardAt) < keepMs)
  return [...running, ...ended].toSorted(
    (a, b) =>
      Number(isFinished(a)) - Number(isFinished(b)) ||
      Number(isOfWholeServer(b)) - Number(isOfWholeServer(a)) ||
      Date.parse(b.createdAt) - Date.parse(a.createdAt),
  )
}

function isOfWholeServer({ description }: Operation): boolean {
  return doing[description] !== undefined
}
