import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { Reconciler } from './reconciler.ts'
import type { Sighting, Verdict, Witness } from './reconciler.ts'

const mutation = { requestId: 'r', cluster: 'prod-eu', action: 'member.evacuate', object: 'server3', sentAt: 1 }
const nothing: Sighting = { kind: 'nothing' }
const notApplied: Sighting = { kind: 'not-applied' }
const applied: Sighting = { kind: 'applied', operation: '/1.0/operations/o' }

function witness(name: string, ...seen: (Sighting | Error)[]): Witness {
  return {
    name,
    look: () => {
      const next = seen.length > 1 ? seen.shift() : seen[0]
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? nothing)
    },
  }
}

async function verdictOf(...witnesses: Witness[]) {
  const clock = new ManualClock()
  const published: { verdict: Verdict; afterMs: number }[] = []
  const begun = clock.now()
  const reconciler = new Reconciler({
    witnesses,
    clock,
    logger: silentLogger,
    publish: (_, verdict) => published.push({ verdict, afterMs: clock.now() - begun }),
  })
  reconciler.watch(mutation)
  await clock.pass(120_000)
  expect(published).toHaveLength(1)
  return published[0]!
}

describe('what became of a change whose answer was lost', () => {
  test('one sighting confirms it, at once', async () => {
    expect(await verdictOf(witness('operations', applied), witness('object', notApplied))).toEqual({
      verdict: { kind: 'confirmed', by: 'operations', operation: '/1.0/operations/o' },
      afterMs: 0,
    })
  })

  test('a later sighting confirms it too', async () => {
    const found = await verdictOf(witness('events', nothing, nothing, applied), witness('object', new Error('away')))
    expect(found).toMatchObject({ verdict: { kind: 'confirmed', by: 'events' }, afterMs: 4000 })
  })

  test('that it was not done is said when all witnesses say so, at the end', async () => {
    expect(await verdictOf(witness('operations', notApplied), witness('object', nothing, notApplied))).toEqual({
      verdict: { kind: 'not_applied' },
      afterMs: 60_000,
    })
  })

  test.each([
    ['one cannot say', [witness('operations', notApplied), witness('object', nothing)]],
    ['one cannot look', [witness('operations', notApplied), witness('object', new Error('away'))]],
    ['there is none', []],
  ])('it stays unknown when %s', async (_, witnesses) => {
    expect((await verdictOf(...witnesses)).verdict).toEqual({ kind: 'unknown' })
  })

  test('nothing is published after it was stopped', async () => {
    const clock = new ManualClock()
    const published: Verdict[] = []
    const reconciler = new Reconciler({
      witnesses: [witness('operations', nothing)],
      clock,
      logger: silentLogger,
      publish: (_, verdict) => published.push(verdict),
    })
    reconciler.watch(mutation)
    await clock.pass(1000)
    reconciler.stop()
    await clock.pass(120_000)
    expect(published).toEqual([])
  })
})
