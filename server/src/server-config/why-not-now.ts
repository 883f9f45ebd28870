import type { Health } from '@malleus/shared/api/health.ts'

/** A server as the cluster reports it and as the console sees it. */
export interface SeenServer {
  readonly name: string
  readonly reported: string | null
  readonly standing: Health['standing']
}

/**
 * Why no setting may be changed now. Incus stores a setting and then waits for every server that it takes for online
 * (incus `cmd/incusd/api_1.0.go`, `NotifyAlive`): one that hangs holds the answer up for more than a minute.
 */
export function whyNotNow(servers: readonly SeenServer[]): string | null {
  const hanging = servers.filter(({ reported, standing }) => standing === 'ejected' && reported === 'Online')
  const [first] = hanging
  if (first === undefined) return null
  const who = hanging.length === 1 ? first.name : hanging.map(({ name }) => name).join(' and ')
  const verb = hanging.length === 1 ? 'does' : 'do'
  return `${who} ${verb} not answer, and the cluster still waits for it: Incus would store the setting and hang. Try again when the cluster reports it Offline, or when it is back.`
}
