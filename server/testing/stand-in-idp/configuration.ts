import { randomBytes } from 'node:crypto'
import { interactionPolicy } from 'oidc-provider'
import type { ClientMetadata, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider'
import { deliver } from './back-channel.ts'
import type { MemoryStore } from './memory-store.ts'
import { continuePage, formPage, messagePage } from './pages.ts'
import type { Page } from './pages.ts'
import type { Person } from './person.ts'

export interface ProviderParts {
  store: MemoryStore
  signingKey: JWK
  clients: readonly ClientMetadata[]
  people: ReadonlyMap<string, Person>
  /** Read at each request, so that a test can change its mind. */
  settings: {
    readonly audience: string
    readonly accessTokenSeconds: number
    readonly opaqueTokens: boolean
    readonly joinedGroups: boolean
    readonly omitRefreshToken: boolean
    invalidGrantNext: boolean
  }
  /** PEM of certificates to trust when delivering logout tokens. */
  ca: string | undefined
}

/** oidc-provider set up the way common providers are: JWT access tokens for Incus, rotation, logout in both directions. */
export function providerConfiguration({
  store,
  signingKey,
  clients,
  people,
  settings,
  ca,
}: ProviderParts): Configuration {
  return {
    adapter: (kind) => store.adapter(kind),
    jwks: { keys: [signingKey] },
    clients: [...clients],
    clientDefaults: { id_token_signed_response_alg: 'RS256', require_auth_time: true },
    cookies: { keys: [randomBytes(32)] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    conformIdTokenClaims: false, // groups and email also in the ID token, as Keycloak and Authelia send them
    extraParams: ['audience'],
    pkce: { required: () => true },
    fetch: (input, init) => deliver(input instanceof Request ? input.url : input.toString(), init ?? {}, ca),
    findAccount: (_context, sub, token) => {
      // A refresh for somebody who is no longer known is what a provider answers with `invalid_grant`.
      if (settings.invalidGrantNext && token !== undefined && 'kind' in token && token.kind === 'RefreshToken') {
        settings.invalidGrantNext = false
        return undefined
      }
      return accountOf(people.get(sub))
    },
    extraTokenClaims: (_context, token) =>
      'accountId' in token ? accessTokenClaims(people.get(token.accountId), settings.joinedGroups) : undefined,
    // Refreshing works for every client that may, also when it did not send prompt=consent.
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: () => !settings.omitRefreshToken,
    expiresWithSession: () => false,
    loadExistingGrant: grantEverythingAskedFor,
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}`, policy: loginOnly() },
    ttl: {
      AccessToken: () => settings.accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 14 * 24 * 3600,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * 24 * 3600,
      Session: 14 * 24 * 3600,
    },
    renderError: (context, out) => {
      show(context, messagePage('That did not work', out.error_description ?? out.error))
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          show(context, continuePage('Sign out', form, 'op.logoutForm', { name: 'logout', value: 'yes' }))
        },
        postLogoutSuccessSource: (context) => {
          show(context, messagePage('Signed out', 'You are signed out and can close this page.'))
        },
      },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (context, form) => {
          show(
            context,
            formPage('Connect a device', 'Enter the code that the device shows.', form, 'op.deviceInputForm'),
          )
        },
        userCodeConfirmSource: (context, form, _client, _device, userCode) => {
          show(
            context,
            formPage('Connect a device', `The device should show ${userCode}.`, form, 'op.deviceConfirmForm'),
          )
        },
        successSource: (context) => {
          show(context, messagePage('Connected', 'The device is signed in. You can close this page.'))
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (context, _client, oneOf) =>
          oneOf?.[0] ?? resourceOf(audienceAskedFor(context) ?? settings.audience),
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          audience: audienceOf(resource),
          scope: '',
          accessTokenTTL: settings.accessTokenSeconds,
          ...(settings.opaqueTokens
            ? { accessTokenFormat: 'opaque' as const }
            : { accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: 'RS256' as const } } }),
        }),
      },
    },
  }
}

/** The claims of an access token that Incus and the console read. */
export function accessTokenClaims(person: Person | undefined, joinedGroups: boolean): Record<string, unknown> {
  if (person === undefined) return {}
  return {
    ...(person.email === undefined ? {} : { email: person.email }),
    // Some providers send groups as an array in the ID token and as one string in the access token.
    groups: joinedGroups ? person.groups.join(',') : person.groups,
  }
}

function accountOf(person: Person | undefined) {
  if (person === undefined) return undefined
  return {
    accountId: person.sub,
    claims: () => ({
      sub: person.sub,
      name: person.name,
      groups: [...person.groups],
      ...(person.email === undefined ? {} : { email: person.email, email_verified: true }),
    }),
  }
}

/** Consent is never asked for: this provider belongs to the same house as its clients. */
async function grantEverythingAskedFor(context: KoaContextWithOIDC) {
  const { client, session, account, provider, params } = context.oidc
  if (client === undefined || account === undefined) return undefined
  const existing = session?.grantIdFor(client.clientId)
  const grant =
    (existing === undefined ? undefined : await provider.Grant.find(existing)) ??
    new provider.Grant({ clientId: client.clientId, accountId: account.accountId })
  if (typeof params?.['scope'] === 'string') grant.addOIDCScope(params['scope'])
  await grant.save()
  return grant
}

/** The library's login rules without its consent rules; `prompt=consent` is understood and answered at once. */
function loginOnly() {
  const policy = interactionPolicy.base()
  const consent = policy.get('consent')
  for (const check of [
    'native_client_prompt',
    'op_scopes_missing',
    'op_claims_missing',
    'rs_scopes_missing',
    'rar_prompt',
  ]) {
    consent?.checks.remove(check)
  }
  return policy
}

/** RFC 8707 wants an absolute URI; an audience that is a plain word becomes `urn:<word>`. */
function resourceOf(audience: string): string {
  return URL.canParse(audience) ? audience : `urn:${audience}`
}

function audienceOf(resource: string): string {
  return resource.startsWith('urn:') ? resource.slice('urn:'.length) : resource
}

function audienceAskedFor(context: KoaContextWithOIDC): string | undefined {
  const audience = context.oidc.params?.['audience']
  return typeof audience === 'string' && audience !== '' ? audience : undefined
}

function show(context: KoaContextWithOIDC, { html, contentSecurityPolicy }: Page): void {
  context.type = 'html'
  context.set('content-security-policy', contentSecurityPolicy)
  context.body = html
}
