import type { Role } from '@malleus/shared/domain/role.ts'

/** Who asks, and how they proved it. The identity is `(iss, sub)`; name and email are text for people, never a key. */
export interface Principal {
  readonly iss: string
  readonly sub: string
  readonly name: string
  readonly email: string | null
  /** As the provider says; the only input from which roles are derived. */
  readonly groups: readonly string[]
  /** Roles that the person has in at least one cluster. */
  readonly roles: readonly Role[]
  /** When they last proved who they are, in seconds since 1970 (OpenID Connect Core, 2). */
  readonly authTime: number | null
  readonly amr: readonly string[]
  /** HMAC of the session id, for the access history. */
  readonly sessionTag: string
}
