import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LiveClient, Told } from '../../testing/live-client.ts'
import { Seeded } from '../../testing/seeded.ts'
import type { Fault } from '../../testing/stand-in/faults.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { patientHealth } from '../../testing/test-world.ts'

const runs = process.env['MALLEUS_LONG'] === '1' ? 1_000 : 100
/** Of the first run; the others follow. A failure names its own, to begin with. */
const firstSeed = Number(process.env['MALLEUS_SEED'] ?? Date.now() % 1_000_000)

const changesPerRun = 24
/** All but one member at once: then both that are listened to are probably among them. */
const shareOfStorms = 0.1
/** A change may have been on its way when the last frame of a stream came. */
const underWayMs = 1_000
const objects = ['c1', 'c2', 'c3']
const faults: readonly Fault[] = ['refusing', 'cut-off', 'stuck']

let app: TestApp
let live: LiveClient

beforeAll(async () => {
  app = await startTestApp({
    members: 5,
    settings: { health: { ...patientHealth, lightEveryMs: 200, ejectionMs: 100, ejectionAtMostMs: 200 } },
  })
  live = await app.listen(await app.signIn('viewer'))
})
afterAll(() => app.close())

/** A numbered change of an object. */
interface Change {
  readonly object: string
  readonly number: number
  readonly sentAt: number
}

/** What was seen of a run, and what the stream said might be missing. */
interface Seen {
  readonly numbers: ReadonlyMap<string, readonly number[]>
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly resyncs: number
}

describe('T-event-kill', () => {
  let announced = 0
  let lost = 0

  test(
    `in ${runs} runs with a member and the link broken at random, each change is seen once and in order, or announced as missed`,
    async () => {
      for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
        const from = live.told.length
        const changes = await breakAndChange(seed)
        const seen = seenSince(from, seed)
        const why = `MALLEUS_SEED=${seed}`
        for (const object of objects) {
          const numbers = seen.numbers.get(object) ?? []
          expect(numbers, `${object} in order and once, ${why}`).toEqual(
            [...new Set(numbers)].toSorted((a, b) => a - b),
          )
        }
        const missing = changes.filter(({ object, number }) => seen.numbers.get(object)?.includes(number) !== true)
        for (const change of missing) {
          const isAnnounced = seen.gaps.some(
            ({ from, to }) => from - underWayMs <= change.sentAt && change.sentAt <= to,
          )
          expect(isAnnounced, `${JSON.stringify(change)} of gaps ${JSON.stringify(seen.gaps)}, ${why}`).toBe(true)
        }
        expect(seen.resyncs, `a link that is cut is continued exactly, ${why}`).toBe(0)
        announced += seen.gaps.length
        lost += missing.length
      }
      // Two members are listened to so that losing one loses nothing.
      expect(announced, 'gaps announced').toBeLessThan(runs / 4)
      expect(lost, 'changes announced as missed').toBeLessThan((runs * changesPerRun) / 10)
    },
    runs * 3_000,
  )
})

/** One run: changes at members that are well, while others are broken and mended, and the link is cut and resumed. */
async function breakAndChange(seed: number): Promise<readonly Change[]> {
  const chance = new Seeded(seed)
  const { cluster } = app
  const [one, isStorm] = [chance.oneOf(cluster.members), chance.chance(shareOfStorms)]
  const victims = isStorm ? cluster.members.filter((name) => name !== one) : [one]
  const fault = chance.oneOf(faults)
  const breakAt = chance.below(changesPerRun - 4)
  const mendAt = breakAt + 1 + chance.below(changesPerRun - breakAt - 1)
  const cutAt = chance.below(changesPerRun)
  const resumeAt = cutAt + chance.below(changesPerRun - cutAt)

  const changes: Change[] = []
  for (let number = 0; number < changesPerRun; number += 1) {
    if (number === breakAt) for (const victim of victims) await cluster.break(victim, fault)
    if (number === mendAt) await cluster.mendAll()
    if (number === cutAt) live.cut()
    const object = chance.oneOf(objects)
    // What happens where nobody can hear it is not told by Incus either.
    const member = chance.oneOf(cluster.members.filter((name) => cluster.faultOf(name) === undefined))
    changes.push({ object, number, sentAt: Date.now() })
    cluster.emit({ action: 'instance-updated', source: sourceOf(object, seed, number), member, project: 'default' })
    if (number === resumeAt) await live.open()
    if (chance.chance(0.5)) await pause(chance.below(12))
    else await turn()
  }
  await cluster.mendAll()
  await app.untilHeard(live)
  return changes
}

function seenSince(from: number, seed: number): Seen {
  const told: readonly Told[] = live.told.slice(from)
  const numbers = new Map<string, number[]>()
  for (const { event } of told) {
    if (event.kind !== 'resource-changed') continue
    const match = /^\/1\.0\/instances\/(\w+)\?run=(\d+)&number=(\d+)$/.exec(event.source)
    const [, object = '', run, number] = match ?? []
    if (match === null || Number(run) !== seed) continue
    numbers.set(object, [...(numbers.get(object) ?? []), Number(number)])
  }
  const gaps = told.flatMap(({ event }) =>
    event.kind === 'events-missed' ? [{ from: Date.parse(event.from), to: Date.parse(event.to) }] : [],
  )
  return { numbers, gaps, resyncs: told.filter(({ event }) => event.kind === 'resync').length }
}

function sourceOf(object: string, seed: number, number: number): string {
  return `/1.0/instances/${object}?run=${seed}&number=${number}`
}
