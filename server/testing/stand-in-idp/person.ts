/** Someone the identity provider knows. There are no passwords: choosing a name is signing in. */
export interface Person {
  name: string
  /** Without one there is no email claim, and Incus falls back to `sub`. */
  email?: string
  groups: readonly string[]
  sub: string
  /** What the login page says about this person. Default: the groups. */
  role?: string
}
