// The list of instances with ten thousand of them, in a browser: until it can be used, while somebody types a filter, and
// while somebody scrolls.

import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, Page } from '@playwright/test'
import { parseArgs } from 'node:util'
import type { SignedIn } from '../support/signed-in.ts'
import { signInAdmin, startBenchCluster, startBenchConsole } from './bench-world.ts'
import { openWindow, startBrowser } from './browser.ts'
import { formatMs } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { profiling } from './profiling.ts'
import type { Report } from './report.ts'
import { maximum, median, percentile } from './statistics.ts'

const { values: options } = parseArgs({
  options: {
    loads: { type: 'string', default: '7' },
    instances: { type: 'string', default: '10000' },
    profile: { type: 'boolean', default: false },
  },
})
const loads = Number(options.loads)
const count = Number(options.instances)
const memberCount = 5
/** Typed one after the other, and taken back. Each leaves other rows. */
const filters = ['1234', '5678', '9012', 'web77', 'db3456', 'stopped 8']
const keyGapMs = 120
const scrollMs = 5_000
const scrollPxPerFrame = 120
const usableMark = 'malleus-usable'

await measurement('instances-10000', measureInstances)

async function measureInstances(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'stand-in', members: memberCount, instances: manyInstances() })
  await startBenchConsole(run, cluster, profiling(options.profile, 'instances-10000'))
  const person = await signInAdmin(cluster)
  const browser = await startBrowser()
  run.defer(() => browser.close())
  const usable = await loadOften(run, browser, person)
  const { page } = await openWindow(browser, person)
  await page.goto(`${person.url}/clusters/bench/instances`)
  await page.evaluate(untilRows)
  await pause(2_000, undefined, { signal: run.signal })
  const keys = await typeFilters(run, page)
  run.say(`filter: p50 ${formatMs(median(keys))}, worst ${formatMs(maximum(keys))}`)
  const idle = await page.evaluate(framesWhile, { ms: 2_000, pxPerFrame: 0 })
  const scrolling = await page.evaluate(framesWhile, { ms: scrollMs, pxPerFrame: scrollPxPerFrame })
  return reportOf(cluster.world.description, { usable, keys, idle, scrolling })
}

function manyInstances(): { name: string; location: string; status: 'Running' | 'Stopped' }[] {
  const kinds = ['web', 'db', 'cache', 'queue', 'build']
  return Array.from({ length: count }, (_, index) => ({
    name: `${kinds[index % kinds.length]}${index + 1}`,
    location: `server${(index % memberCount) + 1}`,
    status: index % 7 === 6 ? 'Stopped' : 'Running',
  }))
}

interface Loaded {
  /** From the start of the navigation, until rows are painted and the filter has the focus. */
  readonly usableMs: number
  /** Until the answer with the list had arrived. */
  readonly listMs: number
}

/** A context of its own for each load, so that nothing is cached. The first is of a console whose list is cold too. */
async function loadOften(run: Run, browser: Browser, person: SignedIn): Promise<readonly Loaded[]> {
  const results: Loaded[] = []
  for (let load = 0; load < loads; load++) {
    const { page } = await openWindow(browser, person)
    await page.addInitScript(watchForUse, usableMark)
    await page.goto(`${person.url}/clusters/bench/instances`, { waitUntil: 'commit' })
    const usableMs = await page.evaluate(timeOfMark, usableMark)
    const listMs = await page.evaluate(
      () =>
        performance
          .getEntriesByType('resource')
          .filter((entry) => entry instanceof PerformanceResourceTiming)
          .find(({ name }) => new URL(name).pathname.endsWith('/instances'))?.responseEnd ?? Number.NaN,
    )
    run.say(`load ${load + 1}: usable after ${formatMs(usableMs)}, the list was there after ${formatMs(listMs)}`)
    results.push({ usableMs, listMs })
    await page.context().close()
    await pause(500, undefined, { signal: run.signal })
  }
  return results
}

/** Runs in the page before its own scripts: sets a mark when the list can be used. */
function watchForUse(mark: string): void {
  const usable = (): boolean => {
    const rows = document.querySelectorAll('table[aria-label="Instances"] tbody tr[aria-rowindex]')
    const filter = document.querySelector<HTMLInputElement>('main input[type="search"]')
    if (rows.length < 10 || [...rows].some((row) => row.getBoundingClientRect().height === 0)) return false
    filter?.focus()
    return filter !== null && document.activeElement === filter
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

/** Runs in the page: resolves when the list is there. */
function untilRows(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const there = document.querySelector('table[aria-label="Instances"] tbody tr[aria-rowindex]') !== null
      requestAnimationFrame(there ? () => resolve() : look)
    }
    look()
  })
}

/** Types into the filter key by key; gives for each key how long it took until its rows were painted. */
async function typeFilters(run: Run, page: Page): Promise<readonly number[]> {
  await page.evaluate(watchKeys)
  await page.locator('main input[type="search"]').focus()
  for (const filter of filters) {
    const back = Array.from({ length: filter.length }, () => 'Backspace')
    for (const key of [...filter.split(''), ...back]) {
      await page.keyboard.press(key)
      await pause(keyGapMs, undefined, { signal: run.signal })
    }
  }
  return await page.evaluate(() => performance.getEntriesByName('malleus-filtered').map(({ duration }) => duration))
}

/** Runs in the page: measures from each key to the frame that shows the rows it leaves. */
function watchKeys(): void {
  let pressedAt: number | undefined
  const shown = (): string =>
    document.querySelector('table[aria-label="Instances"]')?.getAttribute('aria-rowcount') ?? '0'
  let before = shown()
  addEventListener('keydown', ({ timeStamp }) => (pressedAt = timeStamp), { capture: true })
  new MutationObserver(() => {
    // A key that leaves the same rows changes nothing that could be waited for.
    if (pressedAt === undefined || shown() === before) return
    before = shown()
    const start = pressedAt
    pressedAt = undefined
    // What runs after a frame's own callbacks runs when that frame has been painted.
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.addEventListener('message', () => performance.measure('malleus-filtered', { start }), {
        once: true,
      })
      channel.port1.start()
      channel.port2.postMessage(null)
    })
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
}

/** What was seen of the frames while the page moved. */
interface Frames {
  /** Between one and the next. */
  readonly gaps: readonly number[]
  /** Frames in which nothing of the table was in view where rows should be. */
  readonly blank: number
  readonly movedPx: number
}

/** Runs in the page: scrolls a step in each frame, down and, at the end, up again. */
function framesWhile({ ms, pxPerFrame }: { ms: number; pxPerFrame: number }): Promise<Frames> {
  return new Promise((resolve) => {
    const gaps: number[] = []
    let [begun, last, blank, moved, direction] = [0, 0, 0, 0, 1]
    const frame = (now: number): void => {
      begun ||= now
      if (last > 0) gaps.push(now - last)
      last = now
      const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2)
      if (middle?.closest('tr[aria-rowindex]') === null) blank += 1
      const at = scrollY
      scrollBy(0, pxPerFrame * direction)
      if (pxPerFrame > 0 && scrollY === at) direction = -direction
      moved += Math.abs(scrollY - at)
      if (now - begun < ms) requestAnimationFrame(frame)
      else resolve({ gaps, blank, movedPx: moved })
    }
    requestAnimationFrame(frame)
  })
}

interface Measured {
  readonly usable: readonly Loaded[]
  readonly keys: readonly number[]
  readonly idle: Frames
  readonly scrolling: Frames
}

function reportOf(description: string, { usable, keys, idle, scrolling }: Measured): Report {
  const perSecond = ({ gaps }: Frames): number => 1_000 / (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length)
  const late = ({ gaps }: Frames): number => gaps.filter((gap) => gap > 25).length / gaps.length
  const times = usable.map(({ usableMs }) => usableMs)
  const lists = usable.map(({ listMs }) => listMs)
  const timeRow = (what: string, values: readonly number[]): string[] => [
    what,
    `${values.length}`,
    formatMs(median(values)),
    formatMs(percentile(values, 0.95)),
    formatMs(maximum(values)),
  ]
  const frameRow = (what: string, frames: Frames): string[] => [
    what,
    perSecond(frames).toFixed(1),
    formatMs(maximum(frames.gaps)),
    `${(100 * late(frames)).toFixed(1)} %`,
    `${frames.blank}`,
    `${Math.round(frames.movedPx)} px`,
  ]
  return {
    title: `${count} instances in the list`,
    conditions: [
      `${description} with ${count} instances; Chromium without a graphics processor, a window of 1440 × 900, all on this machine.`,
      'Usable: rows are painted and the filter has taken the focus, from the start of the navigation, with an empty cache each time.',
      `Filter: ${filters.map((filter) => `“${filter}”`).join(', ')} typed and taken back, a key every ${keyGapMs} ms; from the key to the frame in which the rows it leaves have been painted.`,
      `Scrolling: ${scrollPxPerFrame} px in each frame. Late is a frame more than 25 ms after the one before; blank one that shows no row in the middle of the window. What the browser does when nothing moves is beside it.`,
    ],
    tables: [
      {
        head: ['time', 'samples', 'median', 'p95', 'max'],
        rows: [timeRow('usable', times), timeRow('answer with the list', lists), timeRow('key to paint', keys)],
      },
      {
        head: ['frames', 'per second', 'longest', 'late', 'blank', 'moved'],
        rows: [frameRow('nothing moves', idle), frameRow('scrolling', scrolling)],
      },
    ],
    bounds: [
      {
        claim: `usable in 1 s (median of ${loads})`,
        measured: formatMs(median(times)),
        verdict: median(times) <= 1_000 ? 'kept' : 'missed',
      },
      {
        claim: 'filter keystroke to paint ≤ 50 ms (p95)',
        measured: formatMs(percentile(keys, 0.95)),
        verdict: percentile(keys, 0.95) <= 50 ? 'kept' : 'missed',
      },
      {
        claim: 'scrolls at 60 frames/s (at most one in 20 late)',
        measured: `${perSecond(scrolling).toFixed(1)} frames/s, ${(100 * late(scrolling)).toFixed(1)} % late`,
        verdict:
          late(idle) > 0.05 ? 'undecided' : perSecond(scrolling) >= 58 && late(scrolling) <= 0.05 ? 'kept' : 'missed',
      },
    ],
    data: { count, usable, keys, idle, scrolling },
  }
}
