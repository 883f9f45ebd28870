import { z } from 'zod'

/**
 * Everything a person can do here, with its label: policy, audit and screen use the same key. The verb comes last,
 * as in `member.evacuate`; the label completes "Jo …".
 */
export const actions = {
  'session.sign-in': 'signed in',
  'session.sign-out': 'signed out',
  'session.step-up': 'proved again who they are',
  'session.list': 'listed the sessions',
  'session.end': 'ended a session',
  'session.refresh': 'stayed signed in',
  'session.read': 'looked at their session',
  'session.activity': 'was active',
  'description.read': 'read the API description',
  'cluster.list': 'listed the clusters',
  'member.list': 'listed the servers',
  'member.read': 'looked at a server',
  'member.evacuate': 'evacuated',
  'member.restore': 'restored',
  'certificate.read': 'looked at the certificates',
  'certificate.check': 'looked what would become of a certificate',
  'certificate.replace': 'replaced the cluster certificate',
  'certificate.prepare': 'made a key for the cluster certificate',
  'certificate.discard': 'deleted a key for the cluster certificate',
  'certificate.pin': 'changed by what the console recognises the cluster',
  'trust.list': 'looked at whom the cluster trusts',
  'trust.add': 'trusted a client',
  'trust.update': 'changed a trusted client',
  'trust.remove': 'ended the trust in a client',
  'trust.token': 'made a token for a client',
  'trust.withdraw': 'withdrew a token',
  'trust.configure': 'changed a setting of the servers',
  'trust.rotate': 'rotated the identity of the console',
  'acme.read': 'looked at how certificates are renewed',
  'acme.check': 'checked an order for a certificate',
  'acme.configure': 'set up how certificates are renewed',
  'acme.renew': 'ordered a new certificate',
  'operation.list': 'listed the operations',
  'operation.read': 'looked at the operation',
  'operation.cancel': 'cancelled the operation',
  'instance.list': 'listed the instances',
  'incident.list': 'looked at the incidents',
  'event.list': 'listed the events',
  'access-path.list': 'looked at the access paths',
  'front.read': 'generated a configuration',
  'live.read': 'followed live changes',
  'alert.test': 'tested the expiry alerts',
  'audit.read': 'read the access history',
  'audit.export': 'exported the access history',
} as const satisfies Record<string, string>

export type Action = keyof typeof actions
export const Action = z.custom<Action>((value) => typeof value === 'string' && Object.hasOwn(actions, value))

export const actionNames = Object.keys(actions).filter((name): name is Action => Object.hasOwn(actions, name))

/** Whether doing it changes something: such an action is recorded before it begins, or refused. */
export function changes(action: Action): boolean {
  return changing.has(action)
}

const changing: ReadonlySet<Action> = new Set<Action>([
  'member.evacuate',
  'member.restore',
  'operation.cancel',
  'certificate.replace',
  'certificate.prepare',
  'certificate.discard',
  'certificate.pin',
  'session.end',
  'audit.export',
  'acme.check',
  'acme.configure',
  'acme.renew',
  'alert.test',
  'trust.add',
  'trust.update',
  'trust.remove',
  'trust.token',
  'trust.withdraw',
  'trust.configure',
  'trust.rotate',
])

/** Whether it is done to something that may belong to a project, so that a role in that project is enough for it. */
export function isOfProject(action: Action): boolean {
  return action === 'operation.cancel'
}
