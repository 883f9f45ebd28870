// How long somebody with a slow computer and an empty cache waits for the list of servers: until its rows are on the
// screen and a button of the page takes the focus.

import { setTimeout as pause } from 'node:timers/promises'
import type { CDPSession, Page } from '@playwright/test'
import { parseArgs } from 'node:util'
import type { SignedIn } from '../support/signed-in.ts'
import { signInAdmin, startBenchCluster, startBenchConsole } from './bench-world.ts'
import { openWindow, startBrowser } from './browser.ts'
import { formatBytes, formatMs } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import type { Report } from './report.ts'
import { maximum, median } from './statistics.ts'

const { values: options } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    loads: { type: 'string', default: '9' },
    slowdown: { type: 'string', default: '4' },
  },
})
const loads = Number(options.loads)
const slowdown = Number(options.slowdown)
const usableMark = 'malleus-usable'
const settleMs = 2_000

await measurement('first-load', measureFirstLoad)

async function measureFirstLoad(run: Run): Promise<Report> {
  const kind = options.real ? 'real' : 'stand-in'
  const cluster = await startBenchCluster(run, { kind, members: options.real ? 3 : 5 })
  await startBenchConsole(run, cluster)
  const person = await signInAdmin(cluster)
  const results: Load[] = []
  for (let count = 0; count < loads; count++) {
    const load = await loadOnce(person, cluster.members.length, run.signal)
    run.say(`load ${count + 1}: usable after ${formatMs(load.usableMs)}`)
    results.push(load)
  }
  return reportOf(cluster.world.description, results)
}

interface Load {
  /** When the rows were on the screen and a button had the focus, from the start of the navigation. */
  readonly usableMs: number
  readonly firstContentMs: number
  /** When the answer with the list had arrived. */
  readonly listMs: number
  readonly requests: number
  readonly bytes: number
  /** How much slower a loop really ran in the page. */
  readonly slowed: number
}

/** A browser process of its own for each load, so that nothing compiled or cached remains. */
async function loadOnce(person: SignedIn, members: number, signal: AbortSignal): Promise<Load> {
  const browser = await startBrowser()
  try {
    const { page, devTools } = await openWindow(browser, person)
    // Somebody's browser has been running for a while; starting one is not part of this.
    await pause(settleMs, undefined, { signal })
    await devTools.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
    await page.addInitScript(watchForUse, { members, mark: usableMark })
    await page.goto(`${person.url}/clusters/bench/members`, { waitUntil: 'commit' })
    const usableMs = await page.evaluate(timeOfMark, usableMark)
    const slowed = await measureSlowdown(page, devTools)
    return { usableMs, slowed, ...(await readTimings(page)) }
  } finally {
    await browser.close()
  }
}

/** Runs in the page before its own scripts: sets a mark when the list can be used. */
function watchForUse({ members, mark }: { members: number; mark: string }): void {
  const usable = (): boolean => {
    const rows = document.querySelectorAll('table[aria-label="Servers"] tbody tr')
    if (rows.length < members || [...rows].some((row) => row.getBoundingClientRect().height === 0)) return false
    const button = [...document.querySelectorAll('main button')].find((one) => one.getBoundingClientRect().height > 0)
    if (!(button instanceof HTMLButtonElement) || button.disabled) return false
    button.focus()
    return document.activeElement === button
  }
  const look = (): void => {
    // A frame later it has been painted.
    requestAnimationFrame(usable() ? () => performance.mark(mark) : look)
  }
  requestAnimationFrame(look)
}

/** Runs in the page: when the mark was or will be set. */
function timeOfMark(mark: string): Promise<number> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      for (const { startTime } of list.getEntriesByName(mark)) resolve(startTime)
    })
    observer.observe({ type: 'mark', buffered: true })
  })
}

function readTimings(page: Page): Promise<Pick<Load, 'firstContentMs' | 'listMs' | 'requests' | 'bytes'>> {
  return page.evaluate(() => {
    const resources = performance
      .getEntriesByType('resource')
      .filter((entry) => entry instanceof PerformanceResourceTiming)
    const [navigation] = performance.getEntriesByType('navigation')
    const whole = [...resources, ...(navigation instanceof PerformanceResourceTiming ? [navigation] : [])]
    return {
      firstContentMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      listMs: resources.find(({ name }) => name.endsWith('/members'))?.responseEnd ?? Number.NaN,
      requests: whole.length,
      bytes: whole.reduce((sum, { transferSize }) => sum + transferSize, 0),
    }
  })
}

/** How often a loop turns in a tenth of a second, at full speed and slowed down. */
async function measureSlowdown(page: Page, devTools: CDPSession): Promise<number> {
  const turns = (): Promise<number> =>
    page.evaluate(() => {
      let count = 0
      for (const end = performance.now() + 100; performance.now() < end;) count++
      return count
    })
  const slow = await turns()
  await devTools.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  return (await turns()) / slow
}

function reportOf(description: string, results: readonly Load[]): Report {
  const column = (pick: (load: Load) => number): number[] => results.map(pick)
  const usable = column(({ usableMs }) => usableMs)
  const row = (what: string, values: readonly number[], format: (value: number) => string): string[] => [
    what,
    format(median(values)),
    format(maximum(values)),
  ]
  return {
    title: 'From an empty cache to a usable list of servers',
    conditions: [
      `${results.length} loads, each in a Chromium of its own, signed in, from this machine's loopback, of a console with ${description}.`,
      `The processor of the page is slowed down ${slowdown} times by DevTools; a loop in the page really ran ${median(column(({ slowed }) => slowed)).toFixed(1)} times slower.`,
      'Usable: every row is painted and a button of the page has taken the focus.',
    ],
    tables: [
      {
        head: ['from the start of the navigation', 'median', 'max'],
        rows: [
          row(
            'first content',
            column(({ firstContentMs }) => firstContentMs),
            formatMs,
          ),
          row(
            'answer with the list',
            column(({ listMs }) => listMs),
            formatMs,
          ),
          row('usable', usable, formatMs),
          row(
            'requests',
            column(({ requests }) => requests),
            String,
          ),
          row(
            'transferred',
            column(({ bytes }) => bytes),
            formatBytes,
          ),
        ],
      },
    ],
    bounds: [
      {
        claim: `usable within 1.2 s (median of ${results.length})`,
        measured: `${formatMs(median(usable))}, at most ${formatMs(maximum(usable))}`,
        verdict: median(usable) <= 1_200 ? 'kept' : 'missed',
      },
    ],
    data: { slowdown, results },
  }
}
