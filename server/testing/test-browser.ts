import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpRequest } from 'node:http'
import type { Problem } from '@malleus/shared/api/problem.ts'
import { Problem as ProblemSchema } from '@malleus/shared/api/problem.ts'
import { LiveClient } from './live-client.ts'
import type { IdentityProvider } from './stand-in-idp.ts'
import type { ProviderBrowser } from './stand-in-idp/provider-browser.ts'

export interface BrowserReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON. */
  readonly json: unknown
}

export interface BrowserRequest {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  /** Takes the place of what the page sends; undefined leaves it out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Of a change. Default: a new one. */
  readonly key?: string
}

/** A browser with the console's page in it: keeps cookies, sends what the page sends, and remembers every byte it got. */
export class TestBrowser {
  readonly cookies = new Map<string, string>()
  readonly received: Buffer[] = []
  readonly #publicUrl: string
  readonly #provider: IdentityProvider
  readonly #atProvider: ProviderBrowser
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })
  readonly #streams: LiveClient[] = []

  constructor(publicUrl: string, provider: IdentityProvider) {
    this.#publicUrl = publicUrl
    this.#provider = provider
    this.#atProvider = provider.browser()
  }

  /** Signs in as that person; gives where the console sent the browser in the end. */
  async signIn(sub: string, returnTo = '/'): Promise<string> {
    const { path, refusedWith } = await this.visitProvider(sub, returnTo)
    return refusedWith ?? (await this.navigate(path)).headers.location ?? ''
  }

  /** Goes to the provider and chooses that person there; gives the way back, which has not been taken yet. */
  async visitProvider(sub: string, returnTo = '/'): Promise<{ path: string; refusedWith?: string }> {
    const begun = await this.navigate(`/auth/login?${new URLSearchParams({ returnTo }).toString()}`)
    const location = begun.headers.location ?? ''
    if (!location.startsWith(this.#provider.issuer)) return { path: '', refusedWith: location }
    const back = new URL(await this.#atProvider.signIn(location, sub))
    return { path: back.pathname + back.search }
  }

  get(path: string, headers: BrowserRequest['headers'] = {}): Promise<BrowserReply> {
    return this.ask({ path, headers })
  }

  post(path: string, body: unknown, key: string = randomUUID()): Promise<BrowserReply> {
    return this.ask({ method: 'POST', path, body, key })
  }

  /** What the page does to sign out. */
  signOut(): Promise<BrowserReply> {
    return this.post('/auth/logout', {})
  }

  ask({ body, ...request }: BrowserRequest): Promise<BrowserReply> {
    return this.#ask(request, body === undefined ? undefined : JSON.stringify(body))
  }

  /** With a body that need not be JSON. */
  raw(method: string, path: string, body: string): Promise<BrowserReply> {
    return this.#ask({ method, path }, body)
  }

  #ask(
    { method = 'GET', path, headers = {}, key = randomUUID() }: Omit<BrowserRequest, 'body'>,
    body: string | undefined,
  ): Promise<BrowserReply> {
    return this.#send(method, path, body, {
      ...this.#page,
      ...(method !== 'GET' && {
        origin: this.#publicUrl,
        'content-type': 'application/json',
        'idempotency-key': key,
      }),
      ...headers,
    })
  }

  /** Opens an address as a person does, not the page. */
  navigate(path: string): Promise<BrowserReply> {
    return this.#send('GET', path, undefined, { accept: 'text/html' })
  }

  /** Opens the live stream, after an event where one is named; resolves when it is open. */
  async live(after: string | null = null): Promise<LiveClient> {
    const stream = new LiveClient({
      port: Number(new URL(this.#publicUrl).port),
      headers: { ...this.#page, ...this.#cookie },
      onBytes: (bytes) => this.received.push(bytes),
    })
    this.#streams.push(stream)
    stream.lastEventId = after
    const status = await stream.open()
    if (status !== 200) throw new Error(`the live stream was answered with ${status}`)
    if (after === null) await stream.next('resync')
    return stream
  }

  close(): void {
    for (const stream of this.#streams) stream.cut()
    this.#agent.destroy()
  }

  get #page(): Record<string, string> {
    return { 'x-console-request': '1', 'sec-fetch-site': 'same-origin', accept: 'application/json' }
  }

  get #cookie(): { cookie?: string } {
    if (this.cookies.size === 0) return {}
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
  }

  #send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string | undefined>>,
  ): Promise<BrowserReply> {
    const all = { ...this.#cookie, ...headers }
    const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    const { hostname: host, port } = new URL(this.#publicUrl)
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ host, port, path, method, agent: this.#agent, headers: present }, (response) => {
        const chunks: Buffer[] = []
        this.received.push(Buffer.from(response.rawHeaders.join('\n')))
        for (const line of response.headers['set-cookie'] ?? []) this.#keep(line)
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          this.received.push(bytes)
          const text = bytes.toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(text) })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  #keep(setCookie: string): void {
    const [pair = '', ...attributes] = setCookie.split('; ')
    const at = pair.indexOf('=')
    if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at))
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }
}

/** The body of a failed request. */
export function problemOf(reply: BrowserReply): Problem {
  return ProblemSchema.parse(reply.json)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
