import { expect } from '@playwright/test'
import { startReader } from '../bench/reader.ts'
import type { Fault } from '../lab/state-directory.ts'
import { readSteadily } from '../support/read-through-fault.ts'
import { signIn as signInProgram } from '../support/signed-in.ts'
import { said, signIn, soon, story } from '../support/story.ts'
import { whenSaid } from '../support/when-said.ts'

// Each fault is done to a real server while a person looks at the overview and programs read what pages read. Nobody who
// reads may wait long or get an error, and the page has to name the cause. The victim does not lead the database: with
// its leader gone Incus itself stands still, and answers come from what was last known.
// They come late among the stories: a server that failed so often is held back longer each time.

const long = process.env['MALLEUS_LONG'] === '1'
/** As often as that for each fault. */
const tries = long ? 25 : 1
/** The others are named in stories of their own, too. */
const always: readonly Fault[] = ['stuck', 'black-hole', 'starting']
const paths = ['members', 'instances', 'operations', 'certificate'].map((part) => `/api/clusters/lab/${part}`)
const perSecond = 20
const readMs = 4_000
const breakAfterMs = 1_000
/** The last of ten probes, half a second and a tenth of that apart, makes a connection of its own and sees the certificate. */
const oneColdRoundMs = 10 * 550 + 400 + 500
const soonMs = soon.timeout

const faults: readonly { readonly fault: Fault; readonly sentence: string; readonly namedMs: number }[] = [
  { fault: 'killed', sentence: 'refuses connections.', namedMs: soonMs },
  { fault: 'stuck', sentence: 'is stuck.', namedMs: soonMs },
  { fault: 'cut-off', sentence: 'is unreachable.', namedMs: soonMs },
  { fault: 'black-hole', sentence: 'is unreachable.', namedMs: soonMs },
  { fault: 'slow', sentence: 'is slow.', namedMs: soonMs },
  { fault: 'wrong-certificate', sentence: 'presents a wrong certificate.', namedMs: oneColdRoundMs },
  { fault: 'starting', sentence: 'is starting.', namedMs: soonMs },
]

for (const { fault, sentence, namedMs } of faults) {
  story(`T-faults: a server that is ${fault} costs no reader an answer, and is named`, async ({ page, stage }) => {
    story.skip(!long && !always.includes(fault), 'read through in the long run: npm run test:long')
    story.setTimeout(60_000 * tries)
    const { url, world } = stage
    const person = await signInProgram({ url, provider: world.provider, person: 'u-sam' })
    const reader = startReader()
    try {
      await signIn(page, 'Mika Kallio')
      for (let count = 0; count < tries; count++) {
        const victim = await stage.victim()
        await expect(page.getByText('All 3 servers answer.')).toBeVisible({ timeout: 30_000 })
        // What is read for the first time has no last known answer yet.
        await readSteadily(reader, { person, paths, perSecond, ms: 1_000 })

        const reads = readSteadily(reader, { person, paths, perSecond, ms: readMs })
        await page.waitForTimeout(breakAfterMs)
        const named = whenSaid(page, `${victim} ${sentence}`)
        await stage.lab.break(victim, fault)
        const brokenAt = Date.now()
        await expect(said(page, `${victim} ${sentence}`)).toBeVisible({ timeout: 15_000 })
        expect((await named) - brokenAt, 'milliseconds until it is named').toBeLessThanOrEqual(namedMs)
        const { p99Ms, failures, lagMs } = await reads
        expect(failures).toEqual([])
        // What this machine was late with by itself is not the console's.
        expect(p99Ms, `reads were sent up to ${Math.round(lagMs)} ms late`).toBeLessThanOrEqual(300 + 2 * lagMs)
        await stage.mend()
        await expect(said(page, `${victim} ${sentence}`)).toBeHidden({ timeout: 30_000 })
      }
    } finally {
      await reader.close()
    }
  })
}
