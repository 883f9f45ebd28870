// How many tests passed, failed and were skipped, added up over every part of a run.

import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** The environment variable that names the file in which each part leaves its result. */
export const tallyVariable = 'MALLEUS_TALLY'

const nothing = { passed: 0, failed: 0, skipped: 0 }

/** Leaves a result for whoever started us, if anybody asked for it. */
export function report(tally, env = process.env) {
  const file = env[tallyVariable]
  if (file) appendFileSync(file, `${JSON.stringify(tally)}\n`)
}

/** The results left in a file: nothing at all when no part got that far. */
export function read(file) {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

export function add(tallies) {
  return tallies.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    nothing,
  )
}

/** The line a run ends with: `12 passed, 0 failed`, and what was skipped if anything was. */
export function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
