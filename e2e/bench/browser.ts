import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test'
import type { SignedIn } from '../support/signed-in.ts'

/** Starts the system's Chromium with nothing in its caches. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env['MALLEUS_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--disable-quic'],
  })
}

/** A window of somebody who has signed in, still empty, and its developer tools. */
export async function openWindow(browser: Browser, person: SignedIn): Promise<{ page: Page; devTools: CDPSession }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  const devTools = await context.newCDPSession(page)
  for (const [name, value] of person.cookies) {
    // Not by `addCookies`, which names a domain; cookies with the prefix `__Host-` must have none.
    const cookie = {
      name,
      value,
      url: person.url,
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'Strict',
    } as const
    const { success } = await devTools.send('Network.setCookie', cookie)
    if (!success) throw new Error(`the browser does not take the cookie ${name}`)
  }
  return { page, devTools }
}
