import { type Browser, type BrowserContext, chromium } from '@playwright/test'
import type { SignedIn } from '../support/signed-in.ts'

/** Starts the system's Chromium with nothing in its caches. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env['MALLEUS_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--disable-quic'],
  })
}

/** A window of somebody who has signed in. */
export async function openWindow(browser: Browser, person: SignedIn): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  await context.addCookies(
    [...person.cookies].map(([name, value]) => ({
      name,
      value,
      url: person.url,
      secure: true,
      httpOnly: true,
      sameSite: 'Strict' as const,
    })),
  )
  return context
}
