/** The last time that somebody whom a cluster knows asked a member for something. */
export interface IdentityUse {
  /** How they are known: by a client certificate, by OpenID Connect, or at the unix socket of a server. */
  readonly protocol: 'tls' | 'oidc' | 'unix'
  /** The certificate's SHA-256 in lower-case hexadecimal, or the user's name. */
  readonly identity: string
  /** By the member's clock, in milliseconds since 1970. */
  readonly at: number
  /** Null over the unix socket. */
  readonly address: string | null
  readonly member: string
}

export interface IdentityUseStore {
  read(cluster: string): Promise<readonly IdentityUse[]>
  write(cluster: string, uses: readonly IdentityUse[]): Promise<void>
}
