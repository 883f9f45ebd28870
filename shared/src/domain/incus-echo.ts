/**
 * By which of its events Incus says that something was done that can be done here. What is absent it says nowhere: that a
 * token was made, for instance, is an operation and no event (incus `cmd/incusd/certificates.go`).
 */
const echoes: Readonly<Record<string, string>> = {
  'member.evacuate': 'cluster-member-evacuated',
  'member.restore': 'cluster-member-restored',
  'operation.cancel': 'operation-cancelled',
  'certificate.replace': 'cluster-certificate-updated',
  'trust.add': 'certificate-created',
  'trust.update': 'certificate-updated',
  'trust.remove': 'certificate-deleted',
}

/** The event that Incus sends when this action of the console was carried out; null when it sends none, or it is not known. */
export function incusEcho(action: string): string | null {
  return echoes[action] ?? null
}

/** How long after an action was done its event may come before it counts as missing, in milliseconds. */
export const echoWithinMs = 30_000

/** Whether an event is about what was done: some objects have another name in the event than people gave, or none. */
export function isEchoOf(
  event: { readonly action: string; readonly object: string | null },
  done: { readonly action: string; readonly object: string | null },
): boolean {
  const echo = incusEcho(done.action)
  if (echo === null) return done.object !== null && done.object === event.object
  if (event.action !== echo) return false
  const isNamedAlike = done.object === null || done.object === event.object
  return isNamedAlike || echo === 'cluster-certificate-updated' || echo === 'certificate-created'
}
