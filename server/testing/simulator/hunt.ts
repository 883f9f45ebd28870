// Runs the simulator with planted mistakes, each until it is caught. The numbers of the mutants are the arguments.

import { z } from 'zod'
import { loadMutants, mutatedUrl } from './mutation-loader.ts'
import { mutants } from './mutants.ts'
import type { simulate } from './simulation.ts'

const Simulation = z.object({ simulate: z.custom<typeof simulate>((value) => typeof value === 'function') })

/** Each has to be caught within so many seeds. */
const mostSeeds = Number(process.env['MALLEUS_MUTANT_SEEDS'] ?? 300)

loadMutants(mutants)

for (const argument of process.argv.slice(2)) {
  const number = Number(argument)
  const startedAt = performance.now()
  const mutated: unknown = await import(mutatedUrl('testing/simulator/simulation.ts', number))
  const caught = await hunt(Simulation.parse(mutated).simulate)
  console.log(JSON.stringify({ number, ...caught, ms: Math.round(performance.now() - startedAt) }))
}

async function hunt(simulate: (seed: number) => Promise<unknown>): Promise<{ seed: number | null; why: string }> {
  const stray: { error: unknown } = { error: undefined }
  const note = (error: unknown): void => {
    stray.error = error
  }
  process.on('unhandledRejection', note).on('uncaughtException', note)
  try {
    for (let seed = 1; seed <= mostSeeds; seed += 1) {
      try {
        await simulate(seed)
        // What was thrown where nobody listens is heard of in the next turn.
        await new Promise((resolve) => setImmediate(resolve))
      } catch (error) {
        return { seed, why: firstLineOf(error) }
      }
      if (stray.error !== undefined) return { seed, why: `nobody caught: ${firstLineOf(stray.error)}` }
    }
    return { seed: null, why: 'it was not caught' }
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note)
  }
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
}
