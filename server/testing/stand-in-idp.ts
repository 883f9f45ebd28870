/**
 * An OpenID Connect provider in the same process, for development, tests and the demo: the real protocol by
 * oidc-provider, a login page without passwords, and knobs for everything a provider can do to a console.
 */
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey } from 'jose'
import { Provider } from 'oidc-provider'
import type { ClientMetadata, JWK } from 'oidc-provider'
import { accessTokenClaims, providerConfiguration } from './stand-in-idp/configuration.ts'
import { MemoryStore } from './stand-in-idp/memory-store.ts'
import { loginPage } from './stand-in-idp/pages.ts'
import type { Person } from './stand-in-idp/person.ts'
import { ProviderBrowser } from './stand-in-idp/provider-browser.ts'

export interface IdentityProviderOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string
  /** Default 0: a free one. */
  port?: number
  /** The name in the issuer, when it is not `host`. */
  publicHost?: string
  /** PEM; the issuer is `https` with it and `http` without. */
  tls?: { certificate: string; key: string }
  /** The confidential client of the console. Default: `malleus` with the secret `malleus-secret` and no redirect URIs yet. */
  console?: ConsoleClient
  /** The public client of the incus command line and of Incus itself. */
  incusClient?: { clientId?: string; redirectUris?: readonly string[] }
  /** Clients besides these two, in the words of OpenID Connect Dynamic Client Registration. */
  otherClients?: readonly ClientMetadata[]
  people: readonly Person[]
  /** `aud` of access tokens where the request names neither audience nor resource. Default `incus`. */
  audience?: string
  /** Default 600. */
  accessTokenSeconds?: number
  /** PEM of certificates to trust when delivering logout tokens to an `https` console. */
  ca?: string
}

export interface ConsoleClient {
  clientId?: string
  clientSecret?: string
  redirectUris: readonly string[]
  postLogoutRedirectUris?: readonly string[]
  backchannelLogoutUri?: string
}

export interface TokenRequest {
  /** `sub` of one of the people. */
  person: string
  /** Default: the provider's audience. */
  audience?: string
  /** Seconds from now, negative for one that has expired. Default: `accessTokenSeconds`. */
  expiresIn?: number
  /** Claims to add or replace. */
  claims?: Record<string, unknown>
}

/** Starts a provider that listens when the promise resolves. */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const provider = new IdentityProvider(options)
  await provider.start()
  return provider
}

export class IdentityProvider {
  /** Seconds an access token lives, from the next one on. */
  accessTokenSeconds: number
  /** Access tokens become random strings, which Incus cannot verify. */
  opaqueTokens = false
  /** Discovery no longer lists S256. */
  withoutPkce = false
  /** Discovery names this issuer instead of the real one. */
  otherIssuer: string | undefined
  /** Groups in access tokens become one comma-separated string. */
  joinedGroups = false
  /** A refresh keeps the old refresh token and returns none. */
  omitRefreshToken = false
  /** The next refresh is carried out, and the connection cut before its answer. */
  loseNextRefreshReply = false
  /** The next refresh is answered with `invalid_grant`. */
  invalidGrantNext = false

  /** Refreshes carried out. */
  refreshes = 0
  /** Revocations carried out. */
  revocations = 0
  /** Logout tokens that the console accepted. */
  backchannelLogoutsSent = 0
  /** Why logout tokens could not be delivered. */
  readonly backchannelErrors: Error[] = []
  /** `grant_type` of every request to the token endpoint, in order. */
  readonly grantTypes: string[] = []
  /** Every token that the token endpoint gave out, of whatever kind. */
  readonly tokensGiven: { readonly kind: string; readonly token: string }[] = []

  readonly audience: string
  readonly #options: IdentityProviderOptions
  readonly #people: ReadonlyMap<string, Person>
  readonly #store = new MemoryStore()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #silent = false
  #started: { provider: Provider; signingKey: SigningKey; port: number; listener: RequestListener } | undefined

  constructor(options: IdentityProviderOptions) {
    this.#options = options
    this.#people = new Map(options.people.map((person) => [person.sub, person]))
    this.audience = options.audience ?? 'incus'
    this.accessTokenSeconds = options.accessTokenSeconds ?? 600
  }

  /** What clients are configured with, without a trailing slash. */
  get issuer(): string {
    return this.#issuerAt(this.port)
  }

  get port(): number {
    return this.#running.port
  }

  /** Listens and becomes a provider; the issuer is known from then on. */
  async start(): Promise<void> {
    const port = await this.#listen(this.#options.port ?? 0)
    const signingKey = await newSigningKey()
    const provider = new Provider(
      this.#issuerAt(port),
      providerConfiguration({
        store: this.#store,
        signingKey: signingKey.jwk,
        clients: clientsOf(this.#options),
        people: this.#people,
        settings: this,
        ca: this.#options.ca,
      }),
    )
    this.#misbehaveWhenAsked(provider)
    this.#count(provider)
    const callback = provider.callback()
    this.#started = { provider, signingKey, port, listener: (request, response) => void callback(request, response) }
  }

  /** Stops answering: `refuse` closes the port, `hang` accepts and says nothing. Sessions and tokens stay. */
  async down(how: 'refuse' | 'hang' = 'refuse'): Promise<void> {
    if (how === 'hang') {
      this.#silent = true
      return
    }
    await this.#stopListening()
  }

  /** Answers again, on the same port. */
  async up(): Promise<void> {
    this.#silent = false
    if (this.#server === undefined) await this.#listen(this.port)
  }

  /** An access token as the token endpoint would make it. */
  async issueToken({
    person,
    audience = this.audience,
    expiresIn = this.accessTokenSeconds,
    claims = {},
  }: TokenRequest): Promise<string> {
    const { signingKey } = this.#running
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      ...accessTokenClaims(this.#people.get(person), this.joinedGroups),
      client_id: this.#options.console?.clientId ?? 'malleus',
      jti: crypto.randomUUID(),
      scope: 'openid profile email groups',
      sub: person,
      aud: audience,
      iss: this.issuer,
      iat: expiresIn < 0 ? now + expiresIn - 60 : now,
      exp: now + expiresIn,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: signingKey.kid })
      .sign(signingKey.privateKey)
  }

  /** Ends every session of a person here, as an administrator of the provider would, and tells the clients that asked to be told. */
  async endSession(sub: string): Promise<void> {
    const { provider } = this.#running
    for (const remembered of this.#store.all('Session')) {
      if (remembered.accountId !== sub || remembered.uid === undefined) continue
      const session = await provider.Session.findByUid(remembered.uid)
      if (session === undefined) continue
      await Promise.all(
        Object.entries(session.authorizations ?? {}).map(async ([clientId, { sid, grantId }]) => {
          if (grantId !== undefined) this.#store.forgetGrant(grantId)
          await this.#sendLogoutToken(clientId, sub, sid)
        }),
      )
      await session.destroy()
    }
  }

  /** A browser with an empty cookie jar. */
  browser(): ProviderBrowser {
    return new ProviderBrowser(this.issuer, this.#options.ca)
  }

  /** Stops for good; nothing of it is left. */
  async close(): Promise<void> {
    await this.#stopListening()
  }

  #issuerAt(port: number): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.#options.publicHost ?? this.#host}:${port}`
  }

  get #host(): string {
    return this.#options.host ?? '127.0.0.1'
  }

  get #running() {
    if (this.#started === undefined) throw new Error('The identity provider has not been started')
    return this.#started
  }

  async #sendLogoutToken(clientId: string, sub: string, sid: string | undefined): Promise<void> {
    const client = await this.#running.provider.Client.find(clientId)
    if (client?.backchannelLogoutUri === undefined) return
    try {
      // oidc-provider has it, its type declarations do not.
      const logout = client['backchannelLogout']
      if (typeof logout === 'function') await Reflect.apply(logout, client, [sub, sid])
      this.backchannelLogoutsSent += 1
    } catch (error) {
      this.backchannelErrors.push(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #count(provider: Provider): void {
    provider.on('grant.success', (context) => {
      if (context.oidc.params?.['grant_type'] === 'refresh_token') this.refreshes += 1
    })
    provider.on('backchannel.success', () => {
      this.backchannelLogoutsSent += 1
    })
    provider.on('backchannel.error', (_context, error) => {
      this.backchannelErrors.push(error)
    })
  }

  #misbehaveWhenAsked(provider: Provider): void {
    provider.use(async (context, next) => {
      await next()
      if (context.path === '/.well-known/openid-configuration' && isRecord(context.body)) {
        if (this.withoutPkce) delete context.body['code_challenge_methods_supported']
        if (this.otherIssuer !== undefined) context.body['issuer'] = this.otherIssuer
      }
      if (context.path === '/token/revocation' && context.status === 200) this.revocations += 1
      if (context.path !== '/token') return
      const grantType = grantTypeOf(context['oidc'])
      this.grantTypes.push(grantType ?? 'none')
      if (isRecord(context.body)) this.#noteTokens(context.body)
      if (grantType !== 'refresh_token') return
      if (this.omitRefreshToken && isRecord(context.body)) delete context.body['refresh_token']
      if (this.loseNextRefreshReply) {
        this.loseNextRefreshReply = false
        context.respond = false
        context.req.socket.destroy()
      }
    })
  }

  #noteTokens(body: Readonly<Record<string, unknown>>): void {
    for (const kind of ['access_token', 'refresh_token', 'id_token']) {
      const token = body[kind]
      if (typeof token === 'string') this.tokensGiven.push({ kind, token })
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#silent) return
    if (request.url?.startsWith('/interaction/')) return this.#interact(request, response)
    this.#running.listener(request, response)
  }

  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider } = this.#running
    const { prompt, params, uid } = await provider.interactionDetails(request, response)
    if (prompt.name === 'consent') {
      return provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true })
    }
    if (request.method === 'GET') {
      const page = loginPage(`/interaction/${uid}`, this.#options.people, String(params['client_id']))
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': page.contentSecurityPolicy,
        'cache-control': 'no-store',
      })
      response.end(page.html)
      return
    }
    const form = await readBody(request)
    const person = this.#people.get(form.get('person') ?? '')
    await provider.interactionFinished(
      request,
      response,
      person === undefined
        ? { error: 'access_denied', error_description: 'The person did not sign in' }
        : { login: { accountId: person.sub, amr: ['pwd'], ...askedAt(form.get('secondsAgo')) } },
      { mergeWithLastSubmission: false },
    )
  }

  #listen(port: number): Promise<number> {
    const listener: RequestListener = (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (response.headersSent) return response.destroy()
        response.writeHead(400, { 'content-type': 'text/plain' })
        return response.end(error instanceof Error ? error.message : String(error))
      })
    }
    const { tls } = this.#options
    const server = tls
      ? createHttpsServer({ cert: tls.certificate, key: tls.key }, listener)
      : createHttpServer(listener)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, this.#host, () => {
        server.removeListener('error', reject)
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  }

  async #stopListening(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

function clientsOf({
  console = { redirectUris: [] },
  incusClient = {},
  otherClients = [],
}: IdentityProviderOptions): ClientMetadata[] {
  return [
    {
      client_id: console.clientId ?? 'malleus',
      client_secret: console.clientSecret ?? 'malleus-secret',
      client_name: 'Malleus',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [...console.redirectUris],
      post_logout_redirect_uris: [...(console.postLogoutRedirectUris ?? [])],
      ...(console.backchannelLogoutUri === undefined
        ? {}
        : { backchannel_logout_uri: console.backchannelLogoutUri, backchannel_logout_session_required: true }),
    },
    {
      client_id: incusClient.clientId ?? 'incus',
      client_name: 'Incus',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: [...(incusClient.redirectUris ?? ['http://127.0.0.1/callback'])],
    },
    ...otherClients,
  ]
}

/** When the person was asked, as a test says in a field that the page does not have; by default now. */
function askedAt(secondsAgo: string | null): { ts?: number } {
  return secondsAgo === null ? {} : { ts: Math.floor(Date.now() / 1000) - Number(secondsAgo) }
}

interface SigningKey {
  kid: string
  privateKey: CryptoKey
  jwk: JWK
}

async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = crypto.randomUUID()
  return { kid, privateKey, jwk: { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid } }
}

const MAX_FORM_BYTES = 16 * 1024

async function readBody(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length > MAX_FORM_BYTES) throw new Error('The form is too large')
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

function grantTypeOf(context: unknown): string | undefined {
  const params = isRecord(context) ? context['params'] : undefined
  const grantType = isRecord(params) ? params['grant_type'] : undefined
  return typeof grantType === 'string' ? grantType : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
