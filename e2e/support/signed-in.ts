import type { Agent, IncomingHttpHeaders } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { ProviderBrowser } from '@malleus/server/testing/stand-in-idp/provider-browser.ts'
import type { ProviderSettings } from './world.ts'

// A person for programs: signs in through the provider with plain requests, and then asks the console as its page does.

export interface SignInOptions {
  /** The console's public URL. */
  readonly url: string
  readonly provider: Pick<ProviderSettings, 'issuer' | 'ca'>
  /** `sub` of one of the provider's people. */
  readonly person: string
  /** PEM of the authority that signed the console's certificate, when it is `https`. */
  readonly ca?: string
}

export interface AskOptions {
  readonly method?: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** `false`: a connection of its own for this request. Default: Node's shared agent. */
  readonly agent?: Agent | false
  readonly signal?: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Walks the login to its end. Throws when a step answers with something else than expected. */
export async function signIn(options: SignInOptions): Promise<SignedIn> {
  const { url, provider, person, ca } = options
  const visitor = new SignedIn(url, ca)
  const login = await visitor.ask('/auth/login?returnTo=/')
  const { location } = login.headers
  if (location === undefined) throw new Error(`the console did not send us to the provider: ${describe(login)}`)
  const callback = new URL(await new ProviderBrowser(provider.issuer, provider.ca).signIn(location, person))
  const landed = await visitor.ask(callback.pathname + callback.search)
  const session = await visitor.ask('/api/session')
  if (session.status !== 200) throw new Error(`nobody is signed in after ${describe(landed)}: ${describe(session)}`)
  return visitor
}

/** A session with the console: its cookies, and the headers its page sends. */
export class SignedIn {
  readonly url: string
  readonly #origin: URL
  readonly #ca: string | undefined
  readonly #cookies = new Map<string, string>()

  /** Use `signIn`. */
  constructor(url: string, ca: string | undefined) {
    this.url = url
    this.#origin = new URL(url)
    this.#ca = ca
  }

  /** The cookies by name, to put into a browser. */
  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies
  }

  /** Headers of a request of this session. */
  get headers(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return { 'x-console-request': '1', origin: this.#origin.origin, ...(cookie === '' ? {} : { cookie }) }
  }

  /** Asks and keeps what cookies the answer sets. Redirects are not followed. Rejects when there is no whole answer. */
  ask(path: string, options: AskOptions = {}): Promise<Reply> {
    const { method = 'GET', body, headers = {}, agent, signal } = options
    const text = body === undefined ? undefined : JSON.stringify(body)
    const request = this.#origin.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#origin),
        {
          method,
          headers: {
            ...this.headers,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
          ...(agent === undefined ? {} : { agent }),
          ...(signal === undefined ? {} : { signal }),
          ...(this.#ca === undefined ? {} : { ca: this.#ca }),
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) this.#keep(line)
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }

  #keep(setCookie: string): void {
    const [pair = ''] = setCookie.split(';')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    if (value === '' || /;\s*max-age=0/i.test(setCookie)) this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}

function describe({ status, body }: Reply): string {
  return `${status} ${body.slice(0, 200)}`
}
