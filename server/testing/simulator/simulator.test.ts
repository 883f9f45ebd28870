import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mutants } from './mutants.ts'
import { mutated } from './mutation-loader.ts'
import { simulate } from './simulation.ts'

const { MALLEUS_LONG: long, MALLEUS_SEED: oneSeed, MALLEUS_SEEDS: manySeeds } = process.env
const patience = { timeout: 3_600_000 }
/** As many as the machines have on which this has to be quick. */
const processes = 2

describe('T-sim', () => {
  it('tells the same story for the same seed', async () => {
    const first = await simulate(4)
    expect(await simulate(4)).toEqual(first)
    expect((await simulate(5)).hash).not.toBe(first.hash)
    expect(first.reads).toBeGreaterThan(0)
  })

  const last = Number(oneSeed ?? manySeeds ?? (long === '1' ? 200_000 : 2_000))
  const first = oneSeed === undefined ? 1 : last
  it(`keeps every promise in the seeds from ${first} to ${last}`, patience, async () => {
    const parts = Array.from({ length: processes }, (_, at) => [first + at, last, processes].map(String))
    const told = (await Promise.all(parts.map((part) => linesOf('seeds.ts', part)))).flat()
    const broken = told.flatMap((line) => (Broken.safeParse(line).success ? [Broken.parse(line)] : []))
    expect(broken.slice(0, 3).map(({ message }) => message)).toEqual([])
    const counts = told.flatMap((line) => Counted.safeParse(line).data?.count ?? [])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(last - first + 1)
  })
})

describe('T-sim: planted mistakes', () => {
  it('are many, and each is in one place of the code as it is', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(30)
    for (const mutant of mutants) expect(mutated(mutant)).toContain(mutant.put)
  })

  const numbers = mutants.map((_, number) => number).filter((number) => long === '1' || number % 6 === 0)
  it(`are caught: ${numbers.length} of ${mutants.length}`, patience, async () => {
    const parts = Array.from({ length: processes }, (_, at) =>
      numbers.filter((_, position) => position % processes === at).map(String),
    )
    const told = (await Promise.all(parts.map((part) => linesOf('hunt.ts', part))))
      .flat()
      .map((line) => Hunted.parse(line))
    expect(told).toHaveLength(numbers.length)
    const atLarge = told.filter(({ seed }) => seed === null).map(({ number }) => mutants[number])
    expect(atLarge).toEqual([])
  })
})

const Broken = z.object({ seed: z.int(), message: z.string() })
const Counted = z.object({ count: z.int() })
const Hunted = z.object({ number: z.int(), seed: z.int().nullable(), why: z.string() })

/** Runs a file beside this one in a process of its own, and reads the lines of JSON that it prints. */
async function linesOf(file: string, args: readonly string[]): Promise<unknown[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}: ${text.slice(-2_000)}`)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
