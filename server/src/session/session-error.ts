import type { EndKind } from './session-store.ts'

/** The session is no more; whoever holds it signs in again. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded'
  readonly code = 'session_expired'
  readonly kind: EndKind

  constructor(kind: EndKind, options?: { readonly cause?: unknown }) {
    super(`The session has ended: ${kind}`, options)
    this.kind = kind
  }
}

/** The identity provider does not answer. What needs it cannot be done now; the session stays. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable'
  readonly code = 'provider_unavailable'
}

/** The identity provider answers, and cannot be used as it is; the message is a sentence for administrators. */
export class ProviderUnusable extends Error {
  override readonly name = 'ProviderUnusable'
  readonly code = 'provider_unavailable'
}

/** It is not known whether a refresh was carried out: the tokens it gave, if it did, are lost. */
export class RefreshLost extends Error {
  override readonly name = 'RefreshLost'
}

/** The provider does not renew the session (RFC 6749, 5.2, `invalid_grant`). */
export class RefreshRefused extends Error {
  override readonly name = 'RefreshRefused'
}
