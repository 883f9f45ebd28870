/** What an administrator should know about how this console is connected to a cluster, in words. Pure. */
import type { Finding } from '@malleus/shared/api/finding.ts'

export interface ConnectionFacts {
  readonly mode: 'bearer' | 'certificate'
  /** Null without a console identity; `restricted` null while Incus has not told. */
  readonly identity: {
    readonly restricted: boolean | null
    /** As Incus keeps it: client, metrics or server. */
    readonly type: string | null
    readonly projects: readonly string[]
    readonly expiresAt: number
  } | null
  /** Members that refuse the console's own identity, with their words. */
  readonly refusals: readonly { readonly member: string; readonly message: string }[]
  /** Members that cannot check people's tokens. */
  readonly withoutOidc: readonly string[]
  /** Members whose certificate is not the cluster's. */
  readonly untrusted: readonly string[]
  /** The cluster's configuration as far as it may be seen; null when it may not. */
  readonly config: Readonly<Record<string, unknown>> | null
  /** The audience that people's tokens are asked for. */
  readonly audience: string | null
  /** Wall clock, milliseconds; null while it is not known. */
  readonly certificateExpiresAt: number | null
  /** Why the list of members cannot be read; null when it can, or nobody has tried. */
  readonly discoveryFailure: string | null
}

const DAY_MS = 86_400_000

export function connectionFindings(facts: ConnectionFacts, now: number): Finding[] {
  return [
    ...expiryFindings('certificate', 'The cluster certificate', facts.certificateExpiresAt, now),
    ...facts.untrusted.map((member) =>
      bad('wrong_certificate', `${member} presents a certificate that is not the cluster's. Nothing is sent to it.`),
    ),
    ...identityFindings(facts, now),
    ...oidcFindings(facts),
    ...(facts.discoveryFailure === null
      ? []
      : [warning('discovery_failed', `The list of servers cannot be read: ${sentence(facts.discoveryFailure)}`)]),
  ]
}

function identityFindings({ mode, identity, refusals }: ConnectionFacts, now: number): Finding[] {
  if (identity === null) {
    const text =
      'This console has no identity of its own in the cluster, so load, memory, instances and events are only known while somebody is signed in. "malleus add-cluster" makes one.'
    return [info('no_identity', text)]
  }
  const found = expiryFindings('identity', "The console's own certificate", identity.expiresAt, now)
  for (const { member, message } of refusals) {
    found.push(bad('identity_refused', `${member} does not accept the console's own identity: ${sentence(message)}`))
  }
  if (identity.type === 'server') {
    const text = "The console's own certificate is that of a server: it could act as a member. Use one of type client."
    found.push(bad('identity_is_server', text))
  }
  if (identity.restricted === false) {
    const text =
      mode === 'certificate'
        ? "The console's own identity is not restricted: it can do everything in the cluster, and what people may do is decided by this console alone."
        : "The console's own identity is not restricted: who takes its key can do everything in the cluster. People's requests carry their own sign-in."
    found.push(info('identity_unrestricted', text))
  }
  if (identity.restricted === true) {
    const projects = identity.projects.length === 0 ? 'no project' : identity.projects.join(', ')
    const text = `The console's own identity is restricted to ${projects}: instances elsewhere, the request log and warnings cannot be seen with it.`
    found.push(mode === 'certificate' ? warning('identity_restricted', text) : info('identity_restricted', text))
  }
  return found
}

function oidcFindings({ mode, withoutOidc, config, audience }: ConnectionFacts): Finding[] {
  if (mode !== 'bearer') return []
  const found = withoutOidc.map((member) =>
    warning('member_without_oidc', `${member} cannot check people's sign-in, so no request of a person is sent to it.`),
  )
  // An empty configuration is one that may not be seen, and not one in which nothing is set.
  if (config === null || config['oidc.issuer'] === undefined) return found
  if (!config['oidc.claim']) {
    const text =
      'Incus names people by their email address (oidc.claim is not set). An address that is given to somebody else takes its rights along; set oidc.claim to one that is never reassigned, such as sub.'
    found.push(warning('oidc_claim_unset', text))
  }
  const expected = config['oidc.audience']
  if (typeof expected === 'string' && expected !== '' && audience !== null && expected !== audience) {
    const text = `The cluster expects tokens for the audience "${expected}", and people's tokens are asked for "${audience}".`
    found.push(bad('audience_mismatch', text))
  }
  return found
}

function expiryFindings(code: string, what: string, expiresAt: number | null, now: number): Finding[] {
  if (expiresAt === null) return []
  const days = Math.floor((expiresAt - now) / DAY_MS)
  if (days < 0) return [bad(`${code}_expired`, `${what} has expired.`)]
  const text = `${what} expires in ${days === 1 ? '1 day' : `${days} days`}.`
  if (days < 7) return [bad(`${code}_expires`, text)]
  return days < 30 ? [warning(`${code}_expires`, text)] : []
}

/** The words of others, as the end of a sentence of ours. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function info(code: string, text: string): Finding {
  return { severity: 'info', code, text }
}
function warning(code: string, text: string): Finding {
  return { severity: 'warning', code, text }
}
function bad(code: string, text: string): Finding {
  return { severity: 'bad', code, text }
}
