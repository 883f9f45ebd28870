import { expect } from '@playwright/test'
import { startReader } from '../bench/reader.ts'
import type { Fault } from '../lab/state-directory.ts'
import { readSteadily } from '../support/read-through-fault.ts'
import { signIn as signInProgram } from '../support/signed-in.ts'
import { said, signIn, soon, story } from '../support/story.ts'

// Each fault is done to a real server while a person looks at the overview and programs read what pages read. Nobody who
// reads may wait long or get an error, and the page has to name the cause. The victim does not lead the database: with
// its leader gone Incus itself stands still, and answers come from what was last known.

/** As often as that for each fault. */
const tries = process.env['MALLEUS_LONG'] === '1' ? 25 : 1
const paths = ['members', 'instances', 'operations', 'certificate'].map((part) => `/api/clusters/lab/${part}`)
const perSecond = 20
const readMs = 6_000
const breakAfterMs = 1_000
/** The last of ten probes, half a second and a tenth of that apart, makes a connection of its own and sees the certificate. */
const oneColdRound = { timeout: 10 * 550 + 400 + 500 }

/** A server that runs a thirtieth of the time still answers some probes quickly; three slow answers in a row are wanted. */
const threeInARow = { timeout: 12_000 }

const faults: readonly { readonly fault: Fault; readonly sentence: string; readonly named: { timeout: number } }[] = [
  { fault: 'killed', sentence: 'refuses connections.', named: soon },
  { fault: 'stuck', sentence: 'is stuck.', named: soon },
  { fault: 'cut-off', sentence: 'is unreachable.', named: soon },
  { fault: 'black-hole', sentence: 'is unreachable.', named: soon },
  { fault: 'slow', sentence: 'is slow.', named: threeInARow },
  { fault: 'wrong-certificate', sentence: 'presents a wrong certificate.', named: oneColdRound },
  { fault: 'starting', sentence: 'is starting.', named: soon },
]

for (const { fault, sentence, named } of faults) {
  story(`T-faults: a server that is ${fault} costs no reader an answer, and is named`, async ({ page, stage }) => {
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
        await stage.lab.break(victim, fault)
        await expect.soft(said(page, `${victim} ${sentence}`)).toBeVisible(named)
        const { p99Ms, failures, lagMs } = await reads
        expect(failures).toEqual([])
        // What this machine was late with by itself is not the console's.
        expect(p99Ms, `reads were sent up to ${Math.round(lagMs)} ms late`).toBeLessThanOrEqual(300 + 2 * lagMs)
        await stage.mend()
      }
    } finally {
      await reader.close()
    }
  })
}
