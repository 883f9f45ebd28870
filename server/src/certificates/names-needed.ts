/** Which names and addresses the certificate has to cover, for whom, and what breaks where it does not. Pure. */
import type { KnownMember } from '../clusters/member-directory.ts'
import type { TrustAnchor } from '../clusters/trust.ts'

export interface NeededName {
  readonly name: string
  /** Who uses it, after "for": "clients that use this name". */
  readonly usedFor: string
  /** What happens to them, as a sentence. */
  readonly breaks: string
}

/** A name or address of a way in. */
export interface AccessName {
  readonly name: string
  readonly usedFor: string
}

export interface NamesInUse {
  readonly anchor: TrustAnchor
  readonly access: readonly AccessName[]
  readonly members: readonly Pick<KnownMember, 'name' | 'endpoint'>[]
  /** Whether people can sign in to Incus itself through OpenID Connect. */
  readonly oidc: boolean
}

/** Each once, with the use that matters most. */
export function namesNeeded({ anchor, access, members, oidc }: NamesInUse): NeededName[] {
  const needed = new Map<string, NeededName>()
  const add = (name: string, usedFor: string, breaks: string): void => {
    if (!needed.has(name)) needed.set(name, { name, usedFor, breaks })
  }
  if (anchor.kind === 'ca') {
    add(anchor.serverName, 'this console, which checks it', 'This console refuses every server of the cluster.')
  }
  // Incus comes back from the provider to the name that the browser had asked for (incus `internal/server/auth/oidc`).
  const signIn = oidc ? ' Browsers that sign in to Incus there do not come back from the provider.' : ''
  for (const { name, usedFor } of access)
    add(name, usedFor, `Browsers warn, and clients that check names refuse.${signIn}`)
  for (const { name, endpoint } of members) {
    const breaks = `Clients that check names refuse ${name}; those that know the fingerprint do not mind.`
    add(endpoint.host, `clients that connect to ${name} directly`, breaks)
  }
  return [...needed.values()]
}
