import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** A browser reduced to what signing in and out needs: a cookie jar, and the patience to follow redirects and press buttons. */
export class ProviderBrowser {
  readonly #issuer: string
  readonly #ca: string | undefined
  readonly #cookies = new Map<string, string>()

  constructor(issuer: string, ca?: string) {
    this.#issuer = issuer
    this.#ca = ca
  }

  /**
   * Opens the authorization URL and chooses a person where the provider asks for one.
   * @returns the URL the provider sends the browser back to, with its code or error.
   */
  async signIn(authorizationUrl: string, personSub: string): Promise<string> {
    return left(await this.#walk(authorizationUrl, { person: personSub }))
  }

  /** Presses Cancel on the login page. Returns the URL the provider sends the browser back to, with its error. */
  async refuse(authorizationUrl: string): Promise<string> {
    return left(await this.#walk(authorizationUrl, { cancel: 'yes' }))
  }

  /** Opens the end-session URL. Returns the URL the provider sends the browser back to. */
  async signOut(endSessionUrl: string): Promise<string> {
    return left(await this.#walk(endSessionUrl, {}))
  }

  /** Opens the verification URL that a command line printed, chooses a person and confirms. Returns the last page. */
  async approveDevice(verificationUrl: string, personSub: string): Promise<string> {
    const reached = await this.#walk(verificationUrl, { person: personSub })
    if (reached.kind === 'left') throw new Error(`The provider sent the browser to ${reached.url}`)
    return reached.html
  }

  /** Submits what each page asks for until the provider sends the browser elsewhere or shows a page without a form. */
  async #walk(url: string, choice: Record<string, string>): Promise<Reached> {
    let reached = await this.#follow('GET', url)
    for (let pages = 0; reached.kind === 'page' && pages < MAX_STEPS; pages += 1) {
      const form = formOf(reached, choice)
      if (form === undefined) return reached
      reached = await this.#follow('POST', form.action, form.fields)
    }
    return reached
  }

  async #follow(method: 'GET' | 'POST', url: string, form?: URLSearchParams): Promise<Reached> {
    let answer = await this.#ask(method, url, form)
    let at = url
    for (let hops = 0; answer.location !== undefined; hops += 1) {
      if (hops === MAX_STEPS) throw new Error('The provider redirects for ever')
      at = new URL(answer.location, at).href
      if (!at.startsWith(`${this.#issuer}/`)) return { kind: 'left', url: at }
      answer = await this.#ask('GET', at)
    }
    return { kind: 'page', url: at, status: answer.status, html: answer.body }
  }

  #ask(method: string, url: string, form?: URLSearchParams): Promise<Answer> {
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Promise((resolve, reject) => {
      const headers = {
        accept: 'text/html',
        ...(cookie === '' ? {} : { cookie }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      }
      const trust = this.#ca === undefined ? {} : { ca: this.#ca }
      const outgoing = request(url, { method, headers, agent: false, ...trust }, (response) => {
        for (const line of response.headers['set-cookie'] ?? []) this.#keep(line)
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            location: response.headers.location,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      })
      outgoing.on('error', reject)
      outgoing.end(form?.toString())
    })
  }

  #keep(setCookie: string): void {
    const [pair = ''] = setCookie.split(';')
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (/expires=Thu, 01 Jan 1970/i.test(setCookie)) this.#cookies.delete(name)
    else this.#cookies.set(name, pair.slice(at + 1))
  }
}

const MAX_STEPS = 10

interface Answer {
  status: number
  location: string | undefined
  body: string
}

interface Page {
  kind: 'page'
  url: string
  status: number
  html: string
}

type Reached = Page | { kind: 'left'; url: string }

function left(reached: Reached): string {
  if (reached.kind === 'left') return reached.url
  throw new Error(`The provider showed a page (${reached.status}) instead of sending the browser on: ${reached.html}`)
}

/** The page's form as a person submits it: hidden fields, the choice where there is one to make, and the button beside the form. */
function formOf(page: Page, choice: Record<string, string>): { action: string; fields: URLSearchParams } | undefined {
  const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1]
  if (action === undefined) return undefined
  const fields = new URLSearchParams()
  for (const [, name = '', value = ''] of page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields.append(name, value)
  }
  const button = /<button form="[^"]+" name="([^"]+)" value="([^"]+)"/.exec(page.html)
  if (button !== null) fields.set(button[1] ?? '', button[2] ?? '')
  for (const [name, value] of Object.entries(choice)) {
    if (page.html.includes(`name="${name}"`)) fields.set(name, value)
  }
  return { action: new URL(action, page.url).href, fields }
}
