import type { Scope } from '../gateway/scope.ts'
import type { Policy } from '../policy/policy.ts'
import type { Session, Sessions } from '../session/sessions.ts'
import type { ClusterParts } from './cluster-parts.ts'

/**
 * With whose authority a person's requests go to a cluster: their own token, or in a cluster without OpenID Connect the
 * console's certificate for what their roles and projects allow.
 */
export function authorityOf(
  session: Session,
  { cluster }: ClusterParts,
  sessions: Pick<Sessions, 'accessToken'>,
  policy: Policy,
  clientAddress: string | null,
): Scope {
  const { principal } = session
  const address = cluster.proxyProtocol && clientAddress !== null ? { clientAddress } : {}
  if (cluster.mode === 'certificate') {
    const projects = policy.projectsOf(principal, cluster.name)
    const key = JSON.stringify([policy.rolesOf(principal, cluster.name), projects])
    return { kind: 'certificate', key, projects, ...address }
  }
  const { iss, sub } = principal
  const accessToken = () => sessions.accessToken(session, cluster.audience)
  return { kind: 'bearer', iss, sub, accessToken, ...address }
}
