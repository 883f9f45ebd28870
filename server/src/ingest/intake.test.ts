import { pino } from 'pino'
import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { auditEntry } from '../audit/record.ts'
import { sleep } from '../lib/clock.ts'
import { systemRandom } from '../lib/random.ts'
import { Intake } from './intake.ts'

const told = auditEntry({ source: 'incus', action: 'instance-updated', cluster: 'prod-eu' })
const announced = auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3' })

async function world(mostWaiting = 100) {
  const clock = new ManualClock()
  const store = new MemoryAuditStore()
  const log = await openAuditLog({ store, clock, random: systemRandom, logger: pino({ level: 'silent' }), mostWaiting })
  const lost: number[] = []
  const intake = new Intake({ history: log, clock, onLost: ({ count }) => lost.push(count) })
  return { clock, store, log, intake, lost }
}

test('with thousands of lines waiting, a change waits for one small batch at most', async () => {
  const { clock, store, log, intake } = await world()
  for (let n = 0; n < 5_000; n += 1) intake.put(told)
  await clock.pass(25)
  store.beforeAppend = () => sleep(clock, 10)
  await clock.pass(30)
  const before = store.lines.length
  const intent = log.intent(announced)
  await clock.pass(20)
  await intent
  const written = store.records.slice(before)
  expect(written.findIndex(({ action }) => action === 'member.evacuate')).toBeLessThanOrEqual(25)
  expect(intake.waiting).toBeGreaterThan(4_000)
})

test('while the history is not written, lines never fill the queue in which changes wait', async () => {
  const { clock, store, log, intake, lost } = await world()
  store.beforeAppend = () => {
    throw new Error('disk full')
  }
  for (let n = 0; n < 6_000; n += 1) intake.put(told)
  await clock.pass(10_000)
  expect(log.isFull).toBe(false)
  // One batch, and the record that tells that it is written again.
  expect(log.waiting).toBeLessThanOrEqual(26)
  store.beforeAppend = () => undefined
  await clock.pass(30_000)
  expect(store.records.filter(({ source }) => source === 'incus')).toHaveLength(5_000)
  expect(lost).toEqual([1_000])
})
