import type { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { instant } from '../lib/clock.ts'
import { words } from './told-operation.ts'

// What is known of background work. Incus forgets an operation five seconds after its end, and all of them when the
// member restarts, so results are kept here; and what was running and is gone has an unknown end, which is said.

/** Operations by id. */
export type OperationLog = ReadonlyMap<string, Operation>

/** How long the result of finished work stays in the list. */
export const resultKeptMs = 10 * 60_000

/** Incus's own numbers (incus `shared/api/status_code.go`); everything from 200 on is final. */
const statusByCode: ReadonlyMap<number, Operation['status']> = new Map([
  [103, 'running'],
  [104, 'cancelling'],
  [105, 'pending'],
  [200, 'success'],
  [400, 'failure'],
  [401, 'cancelled'],
])

/** @param heardAt when it was told, by our own clock. Incus does not say when work ended: it did when that was heard. */
export function fromIncus(
  operation: IncusOperation,
  project: string | null,
  startedBy: Operation['startedBy'],
  heardAt: number,
): Operation {
  const status = statusByCode.get(operation.status_code) ?? 'pending'
  const resources = Object.values(operation.resources).flat()
  return {
    id: operation.id,
    description: words(operation.description),
    status,
    looking: false,
    found: null,
    location: operation.location === '' || operation.location === 'none' ? null : operation.location,
    project: projectOf(project, resources),
    createdAt: parseInstant(operation.created_at),
    updatedAt: parseInstant(operation.updated_at),
    heardAt: instant(heardAt),
    endedAt: isFinished({ status }) ? instant(heardAt) : null,
    ...progressOf(operation),
    error: operation.err === '' ? null : words(operation.err),
    mayCancel: operation.may_cancel,
    resources: resources.map(words),
    startedBy,
  }
}

/**
 * Lists do not say to which project an operation belongs, but paths of objects name any but the default one (incus
 * `internal/server/operations/operations.go`, `Render`). Members and the cluster itself belong to none.
 */
function projectOf(said: string | null, resources: readonly string[]): string | null {
  if (said !== null) return said === '' ? null : said
  const inProject = resources.filter(
    (path) => !/^\/1\.0\/(cluster|certificates|projects|storage-pools\/[^/?]+$)/.test(path),
  )
  const [first] = inProject
  if (first === undefined) return null
  return new URL(first, 'http://incus').searchParams.get('project') ?? 'default'
}

/**
 * How an operation is, after one more state of it was told. Events may arrive out of order, so the latest `updatedAt`
 * wins, and what has ended stays ended. Gives the same value back when nothing is new.
 */
export function nextOperation(before: Operation | undefined, operation: Operation): Operation {
  if (before === undefined) return operation
  if (!isNewer(operation, before)) {
    // Its first events may be here before the answer to the request that began it.
    if (before.startedBy !== null || operation.startedBy === null) return before
    return { ...before, startedBy: operation.startedBy }
  }
  return {
    ...operation,
    startedBy: operation.startedBy ?? before.startedBy,
    project: operation.project ?? before.project,
    progress: operation.progress ?? before.progress,
  }
}

/** Whether a result was kept long enough where it is at hand. */
export function isOld(operation: Operation, now: number): boolean {
  return isFinished(operation) && !operation.looking && now - Date.parse(operation.heardAt) > resultKeptMs
}

/**
 * Operations that were known before the list was asked for, are not in it, and live on a member that answered: nobody
 * will tell how they ended.
 *
 * @param wasKnown whether it was; by our own time, since members' clocks and ours differ
 */
export function lostOperations(
  log: OperationLog,
  listed: ReadonlySet<string>,
  now: number,
  wasKnown: (id: string) => boolean,
  answers: (member: string | null) => boolean,
): readonly Operation[] {
  return [...log.values()]
    .filter((op) => !isFinished(op) && !listed.has(op.id) && wasKnown(op.id) && answers(op.location))
    .map((op) => ({ ...op, status: 'unknown', looking: true, found: null, heardAt: instant(now), mayCancel: false }))
}

/** It was looked for long enough: what that has shown is all there will be. */
export function withVerdict(operation: Operation, found: Operation['found'], now: number): Operation {
  return { ...operation, looking: false, found, heardAt: instant(now) }
}

/** Incus tells pending and running within microseconds, in either order and with the same time: then further on wins. */
function isNewer(next: Operation, before: Operation): boolean {
  if (isFinished(before) && before.status !== 'unknown') return false
  // Whoever knows it again knows more than who only misses it.
  if (before.status === 'unknown') return next.status !== 'unknown' || (before.looking && !next.looking)
  if (next.status === 'unknown') return true
  const [a, b] = [Date.parse(next.updatedAt), Date.parse(before.updatedAt)]
  if (a !== b) return a > b
  if (next.status !== before.status) return stageOf(next) > stageOf(before)
  return next.progress !== before.progress || next.percent !== before.percent
}

function stageOf({ status }: Operation): number {
  const stages: readonly Operation['status'][] = ['unknown', 'pending', 'running', 'cancelling']
  const stage = stages.indexOf(status)
  return stage === -1 ? stages.length : stage
}

/**
 * Progress has one text key `<stage>_progress`, e.g. `rootfs: 9% (4.67MB/s)`, and in newer versions `progress: { percent }`
 * beside it. While an
 * evacuation copies an instance, the progress of the copy takes the place of its own, which says more.
 */
function progressOf({ description, metadata }: IncusOperation): Pick<Operation, 'progress' | 'percent'> {
  if (/evacuat|restor/i.test(description)) {
    const { evacuation_progress: text } = metadata
    return { progress: typeof text === 'string' ? words(text) : null, percent: null }
  }
  const text = Object.entries(metadata).find(
    (entry): entry is [string, string] => entry[0].endsWith('_progress') && typeof entry[1] === 'string',
  )?.[1]
  const { progress } = metadata
  const percent =
    typeof progress === 'object' && progress !== null && 'percent' in progress
      ? Number(progress.percent)
      : Number(/(?:^|\s)(\d{1,3})%/.exec(text ?? '')?.[1] ?? Number.NaN)
  return { progress: text === undefined ? null : words(text), percent: Number.isFinite(percent) ? percent : null }
}

/** Incus sends nanoseconds and zones; on the way to the browser it is UTC with milliseconds. */
function parseInstant(text: string): string {
  const ms = Date.parse(text)
  return instant(Number.isNaN(ms) ? 0 : ms)
}
