/** Who can do what, as the configuration of the cluster decides it, and what an administrator should know of that. Pure. */
import type { TrustEntry, TrustFinding, TrustView } from '@malleus/shared/api/trust.ts'

export interface AuthorizationFacts {
  readonly cluster: string
  readonly mode: 'bearer' | 'certificate'
  /** The server configuration as it may be seen; empty where it may not. */
  readonly config: Readonly<Record<string, unknown>>
  /** What this version can do; null where it is not told. */
  readonly extensions: readonly string[] | null
  /** The entry of this console's own certificate; null where it has none, or it is not in the store. */
  readonly own: Pick<TrustEntry, 'restricted' | 'projects' | 'type'> | null
}

type Authorization = NonNullable<TrustView['authorization']>

/** What decides where the configuration says nothing (incus `internal/server/auth`, client routing). */
const builtInRouting: Readonly<Record<string, string>> = {
  unix: 'allow',
  tls: 'allow',
  'tls-restricted': 'tls',
  oidc: 'allow',
  default: 'deny',
}

/** Null where the configuration may not be seen: an empty one is never that of a cluster. */
export function authorizationOf({ config, extensions }: AuthorizationFacts): Authorization | null {
  if (Object.keys(config).length === 0) return null
  const drivers: Authorization['drivers'] = ['tls']
  if (isSet(config, 'openfga.api.url') || isSet(config, 'authorization.openfga.api.url')) drivers.push('openfga')
  if (isSet(config, 'authorization.scriptlet')) drivers.push('scriptlet')
  const hasRouting = extensions?.includes('authorization_client_routing') ?? false
  const routing: Record<string, string> = {}
  for (const [kind, usual] of Object.entries(builtInRouting)) {
    routing[kind] = valueOf(config, `authorization.client.${kind}`) ?? usual
  }
  return {
    drivers,
    routing: hasRouting ? routing : null,
    tokenExpiry: valueOf(config, 'core.remote_token_expiry'),
  }
}

/** The worst first. Nothing is found in a configuration that may not be seen, but what the console's own identity may do. */
export function trustFindings(facts: AuthorizationFacts): TrustFinding[] {
  const authorization = authorizationOf(facts)
  const found = [
    ...(authorization === null ? [] : [...peopleFindings(facts, authorization), ...doorFindings(facts)]),
    ...identityFindings(facts),
  ]
  return found.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
}

const severities: readonly TrustFinding['severity'][] = ['bad', 'warning', 'info']

function peopleFindings(facts: AuthorizationFacts, { drivers, routing }: Authorization): TrustFinding[] {
  const { config } = facts
  if (!isSet(config, 'oidc.issuer') || !isSet(config, 'oidc.client.id')) return []
  const found: TrustFinding[] = []
  const driver = drivers.find((each) => each !== 'tls') ?? null
  const decides = routing === null ? driver : routing['oidc']
  if (decides === null || decides === 'allow') {
    const text =
      'Everybody to whom the identity provider gives a token for Incus administers the whole cluster: nothing in Incus decides what people may do. The roles of this console narrow only what is done through it.'
    found.push(
      routing !== null && driver !== null
        ? // Loading a driver is not enough from the version on that has routes.
          withSetting(facts, 'bad', 'oidc_everyone_admin', text, 'authorization.client.oidc', driver, {
            fix: `Let the ${driver === 'openfga' ? 'OpenFGA server' : 'scriptlet'} that is set up decide for people who sign in.`,
          })
        : {
            severity: 'bad',
            code: 'oidc_everyone_admin',
            text,
            fix: 'Set up OpenFGA (openfga.*) or an authorization scriptlet (authorization.scriptlet), or let the provider give tokens for Incus only to those who administer it.',
            command: null,
            setting: null,
          },
    )
  }
  if (!isSet(config, 'oidc.claim')) {
    const text =
      'Incus names people by their email address (oidc.claim is not set). An address that is given to somebody else takes its rights along.'
    found.push(
      withSetting(facts, 'warning', 'oidc_claim_unset', text, 'oidc.claim', 'sub', {
        fix: 'Name them by a claim that is never given to somebody else, such as sub. Rights that were given to email addresses have to be given anew.',
      }),
    )
  }
  return found
}

function doorFindings(facts: AuthorizationFacts): TrustFinding[] {
  const { config } = facts
  const found: TrustFinding[] = []
  if (valueOf(config, 'core.metrics_authentication') === 'false') {
    const text = 'Anybody who reaches a server reads its metrics, with the names of projects and instances in them.'
    found.push(
      withSetting(facts, 'warning', 'metrics_open', text, 'core.metrics_authentication', 'true', {
        fix: 'Ask for a certificate of type metrics, and trust the one of the monitoring here.',
      }),
    )
  }
  if (!isSet(config, 'core.remote_token_expiry')) {
    const text =
      'Tokens for new clients never end by themselves: one that was lost on the way is good until it is used.'
    found.push(
      withSetting(facts, 'warning', 'tokens_never_expire', text, 'core.remote_token_expiry', '1d', {
        fix: 'Let them end after a day. Pending ones keep the end that they were made with.',
      }),
    )
  }
  const origin = valueOf(config, 'core.https_allowed_origin')
  if (origin !== null) {
    const credentials = valueOf(config, 'core.https_allowed_credentials') === 'true'
    const text = `Pages of ${origin === '*' ? 'any site' : origin} may call the API from a browser${credentials ? ' with the sign-in of whoever looks at them' : ''} (core.https_allowed_origin).`
    found.push(
      withSetting(facts, credentials ? 'bad' : 'warning', 'allowed_origin', text, 'core.https_allowed_origin', '', {
        fix: 'Unset it, unless such a page is in use. This console does not need it.',
      }),
    )
  }
  if (valueOf(config, 'core.trust_ca_certificates') === 'true') {
    const text =
      'Every client with a certificate of the authority of the servers is trusted, also without an entry in this list.'
    found.push(
      withSetting(facts, 'warning', 'ca_trusted', text, 'core.trust_ca_certificates', 'false', {
        fix: 'Trust clients one by one, unless the authority gives certificates to administrators only.',
      }),
    )
  }
  return found
}

function identityFindings({ own, mode }: AuthorizationFacts): TrustFinding[] {
  if (own === null) return []
  const common = { command: null, setting: null } as const
  if (own.type === 'server') {
    const text = "This console's own identity is that of a server: it could act as a member of the cluster."
    const fix = 'Make one of type client with "malleus add-cluster", and remove this one.'
    return [{ severity: 'bad', code: 'identity_is_server', text, fix, ...common }]
  }
  if (own.restricted) {
    const where = own.projects.length === 0 ? 'no project' : own.projects.join(', ')
    const text = `This console's own identity may work in ${where} only: the trust store, the request log and warnings are closed to it.`
    const fix = 'Lift its restriction on a server if the console shall do more: incus config trust edit.'
    return [{ severity: 'info', code: 'identity_restricted', text, fix, ...common }]
  }
  const text =
    mode === 'certificate'
      ? "This console's own identity may do everything, and what people do goes to Incus in its name: this console alone decides what they may do."
      : "This console's own identity may do everything. What people do goes to Incus with their own sign-in; the identity watches in the background."
  const fix = 'Whoever has its key administers the cluster. Rotate it when the key may have been seen.'
  return [{ severity: 'info', code: 'identity_unrestricted', text, fix, ...common }]
}

function withSetting(
  { cluster, config }: AuthorizationFacts,
  severity: TrustFinding['severity'],
  code: string,
  text: string,
  key: string,
  to: string,
  { fix }: { readonly fix: string },
): TrustFinding {
  const command = to === '' ? `incus config unset ${cluster}: ${key}` : `incus config set ${cluster}: ${key}=${to}`
  return { severity, code, text, fix, command, setting: { key, from: valueOf(config, key), to } }
}

function valueOf(config: AuthorizationFacts['config'], key: string): string | null {
  const value = config[key]
  return typeof value === 'string' && value !== '' ? value : null
}

function isSet(config: AuthorizationFacts['config'], key: string): boolean {
  return valueOf(config, key) !== null
}
