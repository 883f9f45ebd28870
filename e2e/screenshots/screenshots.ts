// `npm run screenshots`: the pictures of the README, of the demo's cluster with one server stuck, one slow and one
// evacuated. With `--every-page FOLDER`, every page in both themes instead, to look at.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Browser, Page } from '@playwright/test'
import { chromium } from '@playwright/test'
import { startConsole } from '../support/console.ts'
import { freePort } from '../support/free-port.ts'
import { startStandInWorld } from '../support/stand-in-world.ts'
import { consoleAddress } from '../support/world.ts'

interface Picture {
  readonly file: string
  readonly path: string
  readonly theme: 'light' | 'dark'
}

const cluster = 'demo'
const [stuck, slow, evacuated] = ['server3', 'server4', 'server5']
const size = { width: 1440, height: 900 }

const readme: readonly Picture[] = [
  { file: 'overview.png', path: `/clusters/${cluster}`, theme: 'light' },
  { file: 'server-dark.png', path: `/clusters/${cluster}/members/${stuck}`, theme: 'dark' },
]

const everyPage: readonly Picture[] = Object.entries({
  'sign-in': '/sign-in?problem=no_role',
  overview: `/clusters/${cluster}`,
  servers: `/clusters/${cluster}/members`,
  'server-healthy': `/clusters/${cluster}/members/server1`,
  'server-stuck': `/clusters/${cluster}/members/${stuck}`,
  'server-health': `/clusters/${cluster}/members/${stuck}/health?range=1h`,
  incidents: `/clusters/${cluster}/incidents`,
  certificates: `/clusters/${cluster}/certificates`,
  'replace-certificate': `/clusters/${cluster}/certificates/replace`,
  trust: `/clusters/${cluster}/trust`,
  'access-paths': `/clusters/${cluster}/access-paths`,
  history: `/clusters/${cluster}/history`,
  operations: `/clusters/${cluster}/operations`,
  'target-stuck': `/clusters/${cluster}/members?target=${stuck}`,
  'not-found': '/nowhere',
}).flatMap(([name, path]) =>
  (['light', 'dark'] as const).map((theme) => ({ file: `${name}-${theme}.png`, path, theme })),
)

const { values } = parseArgs({ options: { 'every-page': { type: 'string' } } })
const folder = values['every-page'] ?? fileURLToPath(new URL('../../docs', import.meta.url))
await takePictures(values['every-page'] === undefined ? readme : everyPage, folder)

async function takePictures(pictures: readonly Picture[], folder: string): Promise<void> {
  const endings: (() => Promise<unknown>)[] = []
  try {
    const own = await mkdtemp(join(tmpdir(), 'malleus-screenshots-'))
    endings.push(() => rm(own, { recursive: true, force: true }))
    const address = consoleAddress(await freePort())
    const world = await startStandInWorld({ address, members: 5 })
    endings.push(() => world.close())
    const running = await startConsole({ folder: own, world, address, cluster })
    endings.push(() => running.stop())
    const browser = await chromium.launch({
      executablePath: process.env['MALLEUS_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--disable-quic'],
    })
    endings.push(() => browser.close())

    const page = await openPage(browser, address.url)
    await signIn(page, 'Jo Lindgren')
    await signOut(page, 'Jo Lindgren')
    await signIn(page, 'Mika Kallio')
    await evacuate(page, evacuated)
    await world.break(slow, 'slow')
    await world.break(stuck, 'stuck')
    await page.getByRole('main').getByText(`${slow} is slow.`).waitFor()
    await page.getByText('has not answered for 11 s').waitFor()

    await mkdir(folder, { recursive: true })
    for (const picture of pictures) await take(page, picture, join(folder, picture.file))
  } finally {
    for (const end of endings.toReversed()) await end()
  }
}

async function openPage(browser: Browser, baseURL: string): Promise<Page> {
  const context = await browser.newContext({
    baseURL,
    viewport: size,
    deviceScaleFactor: 1,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  })
  return context.newPage()
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name }).click()
  await page.getByText('All 5 servers answer.').waitFor()
}

async function signOut(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to Malleus' }).waitFor()
}

async function evacuate(page: Page, server: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${server}` }).click()
  await page.getByRole('menuitem', { name: 'Evacuate…' }).click()
  await page.getByRole('button', { name: `Evacuate ${server}` }).click()
  // Twelve instances take their time, one after the other.
  await page.getByText('It is done.').waitFor({ timeout: 120_000 })
  await page.getByRole('button', { name: 'Close' }).last().click()
  // The strip at the bottom shows what ended for half a minute more; it is not what the pictures are about.
  await page.getByRole('region', { name: 'Activity' }).waitFor({ state: 'hidden', timeout: 60_000 })
}

async function take(page: Page, { path, theme }: Picture, file: string): Promise<void> {
  await page.emulateMedia({ colorScheme: theme })
  await page.goto(path)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.evaluate(() => document.fonts.ready)
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
  await page.mouse.move(0, 0)
  await page.screenshot({ path: file, animations: 'disabled' })
  process.stdout.write(`${file}\n`)
}
