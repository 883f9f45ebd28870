import type { Action } from '@malleus/shared/domain/action.ts'
import type { Role } from '@malleus/shared/domain/role.ts'

/** What everybody who is signed in may do, with or without a role: it concerns only themselves. */
export const ownActions: readonly Action[] = [
  'session.sign-in',
  'session.sign-out',
  'session.step-up',
  'session.refresh',
  'session.read',
  'session.activity',
  'description.read',
]

const viewer: readonly Action[] = [
  'cluster.list',
  'member.list',
  'member.read',
  'certificate.read',
  'acme.read',
  'trust.list',
  'operation.list',
  'operation.read',
  'instance.list',
  'incident.list',
  'event.list',
  'access-path.list',
  'live.read',
]

const operator: readonly Action[] = [...viewer, 'operation.cancel', 'audit.read']

// Evacuation moves or stops the instances of every project on a server, so it belongs to those who administer the
// cluster and not to those who work in some of its projects. Incus draws the same line: `can_edit` on the server.
const admin: readonly Action[] = [
  ...operator,
  'front.read',
  'member.evacuate',
  'member.restore',
  'certificate.check',
  'certificate.replace',
  'certificate.prepare',
  'certificate.discard',
  'certificate.pin',
  'acme.check',
  'acme.configure',
  'acme.renew',
  'trust.add',
  'trust.update',
  'trust.remove',
  'trust.token',
  'trust.withdraw',
  'trust.configure',
  'trust.rotate',
  'session.list',
  'session.end',
  'audit.export',
  'alert.test',
]

// Reads the history and nothing of what it is about; the list of clusters is there to choose whose history.
const auditor: readonly Action[] = ['cluster.list', 'audit.read', 'audit.export']

/** What each role may do, whole: there is no inheritance to follow. What is not named here is denied. */
export const actionsOfRole: Readonly<Record<Role, readonly Action[]>> = { viewer, operator, admin, auditor }
