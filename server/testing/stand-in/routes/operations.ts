import { sleep } from '../clock.ts'
import { visibleProjects } from '../authorization.ts'
import { execute, recursionOf, requestorOf } from '../call.ts'
import type { Call } from '../call.ts'
import type { Member } from '../member.ts'
import type { Operation } from '../operations.ts'
import { answersWithin, canTalk, reach } from '../reach.ts'
import { done, errorEnvelope, IncusError, sync, syncEnvelope } from '../replies.ts'
import type { Reply } from '../replies.ts'
import type { Route } from '../router.ts'

/** Operations live in the memory of one member; the others ask it. */
export const operationRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/operations', need: 'list', answer: listOperations },
  { method: 'GET', path: '/1.0/operations/:id', need: 'view', answer: readOperation },
  { method: 'GET', path: '/1.0/operations/:id/wait', need: 'view', answer: waitForOperation },
  { method: 'DELETE', path: '/1.0/operations/:id', need: 'view', answer: cancelOperation },
]

/** A map of lower-case status to array. Asks every member that counts as Online, one after the other, for as long as it takes. */
async function listOperations(call: Call): Promise<Reply> {
  const telling = new Set<Member>()
  for (const member of call.state.members) {
    if (await tells(call, member)) telling.add(member)
  }
  const groups: Record<string, unknown[]> = {}
  for (const operation of visibleOperations(call)) {
    if (!telling.has(operation.location)) continue
    const group = (groups[operation.status.toLowerCase()] ??= [])
    group.push(recursionOf(call) === 0 ? operation.url : operation.render())
  }
  return sync(groups)
}

async function tells(call: Call, member: Member): Promise<boolean> {
  if (canTalk(call.via, member)) return true
  if (member.process === 'dead' || call.state.isOffline(member, call.via)) return false
  return answersWithin(call, member, undefined)
}

function visibleOperations(call: Call): Operation[] {
  const visible = visibleProjects(call.caller, call.state)
  const allProjects = call.query.get('all-projects') === 'true'
  const wanted = call.query.get('project') ?? 'default'
  return call.operations
    .all()
    .filter(({ project }) => allProjects || project === undefined || project === wanted)
    .filter(({ project }) => visible === undefined || project === undefined || visible.includes(project))
}

async function readOperation(call: Call): Promise<Reply> {
  const operation = call.operations.find(call.params['id'] ?? '')
  await reach(call, operation.location)
  return sync(operation.render())
}

/**
 * The header goes out before the operation has ended, and says 200 whatever becomes of it: of one that failed, the body is
 * an error (operationWaitGet in cmd/incusd/operations.go).
 */
async function waitForOperation(call: Call): Promise<Reply> {
  const operation = call.operations.find(call.params['id'] ?? '')
  await reach(call, operation.location)
  const seconds = Number(call.query.get('timeout') ?? '-1')
  const ended = operation.ended()
  const waited = seconds < 0 ? ended : Promise.race([ended, sleep(call.state.clock, seconds * 1000, call.left)])
  return {
    kind: 'later',
    body: waited.then(() =>
      operation.status === 'Failure' ? errorEnvelope(500, operation.err) : syncEnvelope(operation.render()),
    ),
  }
}

async function cancelOperation(call: Call): Promise<Reply> {
  const operation = call.operations.find(call.params['id'] ?? '')
  await reach(call, operation.location)
  if (operation.final) throw new IncusError(400, 'Only running operations can be cancelled')
  if (!operation.mayCancel) throw new IncusError(400, "This operation can't be cancelled")
  execute(call, 'operation.cancel', operation.location)
  call.operations.cancel(operation)
  const requestor = requestorOf(call)
  call.events.lifecycle({
    action: 'operation-cancelled',
    source: `/1.0/operations/${operation.id}`,
    location: operation.location,
    ...(requestor === undefined ? {} : { requestor }),
  })
  return done
}
