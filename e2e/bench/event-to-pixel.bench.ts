// How long a change on a member takes to the screen of somebody who looks at the list of servers: from the event to the
// changed row, in one browser, with both ends on one clock.

import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from '@playwright/test'
import { parseArgs } from 'node:util'
import { type BenchCluster, signInAdmin, startBenchCluster, startBenchConsole } from './bench-world.ts'
import { openWindow, startBrowser } from './browser.ts'
import { armRow, rowChange } from './changed-row.ts'
import { formatMs } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { type Changes, realChanges, standInChanges } from './member-changes.ts'
import { clockOffset, readPageClock } from './page-clock.ts'
import { profiling } from './profiling.ts'
import type { Report } from './report.ts'
import { maximum, percentile } from './statistics.ts'

const { values: options } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    changes: { type: 'string', default: '100' },
    profile: { type: 'boolean', default: false },
  },
})
const count = Number(options.changes)

await measurement('event-to-pixel', measureEventToPixel)

async function measureEventToPixel(run: Run): Promise<Report> {
  const kind = options.real ? 'real' : 'stand-in'
  const cluster = await startBenchCluster(run, { kind, members: options.real ? 3 : 5 })
  await startBenchConsole(run, cluster, profiling(options.profile, 'event-to-pixel'))
  const changes = cluster.kind === 'real' ? await realChanges(run, cluster) : standInChanges(cluster.world.cluster)
  const browser = await startBrowser()
  run.defer(() => browser.close())
  const { page } = await openWindow(browser, await signInAdmin(cluster))
  await page.goto(`${cluster.address.url}/clusters/bench/members`)
  await page.getByRole('table', { name: 'Servers' }).getByRole('row').nth(cluster.members.length).waitFor()
  await pause(3_000, undefined, { signal: run.signal })
  return await changeAndWatch(run, cluster, page, changes)
}

interface Seen {
  readonly domMs: number
  readonly paintedMs: number
}

async function changeAndWatch(run: Run, cluster: BenchCluster, page: Page, changes: Changes): Promise<Report> {
  const before = clockOffset(await readPageClock(page))
  const seen: Seen[] = []
  for (let index = 0; index < count; index++) {
    const change = changes.next(index)
    await armRow(page, change.member, change.word)
    const happenedAt = await change.make()
    const { domAt, paintedAt } = await rowChange(page, 10_000)
    seen.push({ domMs: domAt - before.aheadMs - happenedAt, paintedMs: paintedAt - before.aheadMs - happenedAt })
    // Apart, since the page reads a list again at most twice a second, and out of step with whatever beats once a second.
    await pause(800 + ((index * 137) % 700), undefined, { signal: run.signal })
  }
  const after = clockOffset(await readPageClock(page))
  return reportOf(cluster.world.description, changes, seen, {
    errorMs: before.errorMs + Math.abs(after.aheadMs - before.aheadMs),
  })
}

function reportOf(
  description: string,
  { what }: Changes,
  seen: readonly Seen[],
  { errorMs }: { readonly errorMs: number },
): Report {
  const painted = seen.map(({ paintedMs }) => paintedMs)
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    ...[0, 0.5, 0.9, 0.99].map((share) => formatMs(percentile(values, share))),
    formatMs(maximum(values)),
  ]
  const p50 = percentile(painted, 0.5)
  return {
    title: 'From an event on a member to a changed pixel',
    conditions: [
      `${seen.length} changes, one every 0.8 to 1.5 s, on ${description}: ${what}.`,
      'Seen by a MutationObserver in the list of servers in Chromium, and painted by the frame after that.',
      `The clocks of the page and of the measurement were compared before and after; together they are wrong by at most ${formatMs(errorMs)}.`,
    ],
    tables: [
      {
        head: ['from the event to', 'least', 'p50', 'p90', 'p99', 'max'],
        rows: [
          row(
            'the changed row',
            seen.map(({ domMs }) => domMs),
          ),
          row('the painted row', painted),
        ],
      },
    ],
    bounds: [{ claim: 'p50 ≤ 100 ms', measured: formatMs(p50), verdict: p50 <= 100 ? 'kept' : 'missed' }],
    data: { seen, errorMs },
  }
}
