/** A key of the server configuration that this console knows how to change. */
export interface KnownKey {
  /** `local`: each server has its own. `global`: the cluster has one. */
  readonly scope: 'local' | 'global'
  /** What is in force while it is not set. */
  readonly default: string
  /** The API extension with which it came, where the oldest supported version does not have it. */
  readonly extension?: string
}

/**
 * The keys that are changed from here (incus `internal/server/cluster/config/config.go` and
 * `internal/server/node/config.go`). A key that Incus does not know makes it refuse the whole change, and up to 6.0.5 a
 * refused change is taken back in a way that loses others; so nothing but these is ever sent as a change.
 */
const known: Readonly<Record<string, KnownKey>> = {
  ...global({
    'acme.agree_tos': 'false',
    'acme.ca_url': 'https://acme-v02.api.letsencrypt.org/directory',
    'acme.domain': '',
    'acme.email': '',
    'cluster.healing_threshold': '0',
    'cluster.images_minimal_replica': '3',
    'cluster.join_token_expiry': '3H',
    'cluster.max_standby': '2',
    'cluster.max_voters': '3',
    'cluster.offline_threshold': '20',
    'core.https_allowed_credentials': 'false',
    'core.https_allowed_headers': '',
    'core.https_allowed_methods': '',
    'core.https_allowed_origin': '',
    'core.https_trusted_proxy': '',
    'core.metrics_authentication': 'true',
    'core.proxy_http': '',
    'core.proxy_https': '',
    'core.proxy_ignore_hosts': '',
    'core.remote_token_expiry': '',
    'core.shutdown_timeout': '5',
    'core.trust_ca_certificates': 'false',
    'oidc.audience': '',
    'oidc.claim': '',
    'oidc.client.id': '',
    'oidc.issuer': '',
    'oidc.scopes': 'openid, offline_access',
  }),
  ...global(
    {
      'acme.challenge': 'HTTP-01',
      'acme.provider': '',
      'acme.provider.environment': '',
      'acme.provider.resolvers': '',
    },
    'acme_dns01',
  ),
  ...global({ 'acme.http.port': ':80' }, 'acme_http01_port'),
  ...global({ 'acme.eab.kid': '', 'acme.eab.hmac': '' }, 'acme_eab'),
  ...global({ 'core.https_allowed_websocket_origin': '' }, 'core_https_allowed_websocket_origin'),
  ...global(
    {
      'authorization.client.default': 'deny',
      'authorization.client.oidc': 'allow',
      'authorization.client.tls': 'allow',
      'authorization.client.tls-restricted': 'tls',
      'authorization.client.unix': 'allow',
    },
    'authorization_client_routing',
  ),
  'core.bgp_address': { scope: 'local', default: '' },
  'core.dns_address': { scope: 'local', default: '' },
  'core.metrics_address': { scope: 'local', default: '' },
  'core.storage_buckets_address': { scope: 'local', default: '' },
}

/** Undefined for a key that is not changed from here. */
export function knownKey(name: string): KnownKey | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined
}

/** What is in force under a key. Incus does not show a setting that is as it would be by itself. */
export function inForce(config: Readonly<Record<string, string>>, name: string): string {
  const value = Object.hasOwn(config, name) ? config[name] : undefined
  return value === undefined || value === '' ? (knownKey(name)?.default ?? '') : value
}

function global(defaults: Readonly<Record<string, string>>, extension?: string): Record<string, KnownKey> {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { scope: 'global', default: value, ...(extension !== undefined && { extension }) },
    ]),
  )
}
