// Runs many seeds in a process of its own: first seed, last seed, step. One line of JSON for each that breaks, and one
// for all of them at the end. A seed that is alone is told from its beginning.

import { simulate } from './simulation.ts'

const [from = 1, to = 1, step = 1] = process.argv.slice(2).map(Number)
const startedAt = performance.now()
let virtualMs = 0
let count = 0
for (let seed = from; seed <= to; seed += step) {
  count += 1
  try {
    virtualMs += (await simulate(seed, { whole: from === to })).virtualMs
  } catch (error) {
    console.log(JSON.stringify({ seed, message: error instanceof Error ? error.message : String(error) }))
  }
  // Lets what nobody waits for be heard of, and the collector work.
  await new Promise((resolve) => setImmediate(resolve))
}
console.log(JSON.stringify({ count, virtualMs, tookMs: Math.round(performance.now() - startedAt) }))
