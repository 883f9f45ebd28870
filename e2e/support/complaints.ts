import type { BrowserContext, ConsoleMessage } from '@playwright/test'

/**
 * What a browser holds against the console's pages: everything their content policy stops, errors nobody caught,
 * errors in its log, dialogs, and requests to other places.
 */
export class Complaints {
  readonly #all: string[] = []
  readonly #url: string
  readonly #places: readonly string[]

  /**
   * @param url of the console.
   * @param places origins besides it which its pages may send the browser to.
   */
  constructor(url: string, places: readonly string[]) {
    this.#url = url
    this.#places = [url, ...places]
  }

  get all(): readonly string[] {
    return this.#all
  }

  /** Gives what was heard until now, and forgets it: for a story that provokes something. */
  take(): readonly string[] {
    return this.#all.splice(0)
  }

  /** Listens to every page of the context that is opened from now on. */
  async listen(context: BrowserContext): Promise<void> {
    await context.addInitScript(() => {
      addEventListener(
        'securitypolicyviolation',
        ({ effectiveDirective, blockedURI, sample, sourceFile, lineNumber }) =>
          console.error(`${effectiveDirective} stopped ${blockedURI} "${sample}" at ${sourceFile}:${lineNumber}`),
      )
    })
    context.on('console', (message) => this.#hear(message))
    context.on('weberror', (error) => this.#all.push(`not caught: ${error.error().stack ?? error.error().message}`))
    context.on('dialog', (dialog) => {
      this.#all.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url())
      if (protocol.startsWith('http') && !this.#places.includes(origin)) this.#all.push(`a request to ${origin}`)
    })
  }

  #hear(message: ConsoleMessage): void {
    if (message.type() !== 'error' || !isOn(this.#url, message)) return
    if (isRefusedRequest(message.text(), message.location().url)) return
    this.#all.push(`in the log: ${message.text()}`)
  }
}

function isOn(url: string, message: ConsoleMessage): boolean {
  return (message.page()?.url() ?? url).startsWith(url)
}

/**
 * Chromium writes every request that fails into its log. Those to the API belong to the stories; and it gives up
 * whatever is on its way when a link of this machine goes down, as a server's does that is cut off.
 */
function isRefusedRequest(text: string, url: string): boolean {
  if (!text.startsWith('Failed to load resource')) return false
  return text.endsWith('net::ERR_NETWORK_CHANGED') || /^\/(api|auth)\//.test(new URL(url).pathname)
}
