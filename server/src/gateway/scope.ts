/**
 * Whose authority a request to Incus carries. Pools, caches and single flights are keyed by it, and no answer is
 * ever shared across two scopes.
 *
 * - `anonymous`: nobody's; probes of what is public. No client certificate, no `Authorization`.
 * - `console`: the console's own identity, for background work only.
 * - `bearer`: a person, by their own access token. Such a connection never has a client certificate, because a member
 *   without working OIDC would take the certificate instead.
 * - `certificate`: a person in a cluster without OIDC: the console's identity carries the request after the console's
 *   own role check. `key` names the set of roles and projects the answer was filtered for.
 *
 * `clientAddress` is the person's IP address; members see it where the cluster is sent PROXY headers.
 */
export type Scope =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'console' }
  | {
      readonly kind: 'bearer'
      readonly iss: string
      readonly sub: string
      readonly accessToken: () => Promise<string>
      readonly clientAddress?: string
    }
  | {
      readonly kind: 'certificate'
      readonly key: string
      /** To which projects the console narrows what Incus answers. */
      readonly projects: 'all' | readonly string[]
      readonly clientAddress?: string
    }

/** The key under which answers for this scope may be kept. */
export function scopeKey(scope: Scope): string {
  switch (scope.kind) {
    case 'anonymous':
    case 'console':
      return scope.kind
    case 'bearer':
      return `bearer ${JSON.stringify([scope.iss, scope.sub])}`
    case 'certificate':
      return `certificate ${scope.key}`
  }
}
