import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { auditEntry } from './record.ts'
import { StrangerQueue } from './stranger-queue.ts'

function queue() {
  const clock = new ManualClock()
  const strangers = new StrangerQueue(clock)
  const refuse = (ip: string) => {
    const entry = auditEntry({ action: 'request', decision: { allow: false, rule: 'not_signed_in' } })
    return strangers.add({ ...entry, src: { ip, via: null } })
  }
  return { clock, strangers, refuse }
}

describe('refusals of strangers', () => {
  test('are recorded once for each address and minute', async () => {
    const { clock, strangers, refuse } = queue()
    expect(['198.51.100.7', '198.51.100.7', '198.51.100.8'].map(refuse)).toEqual([true, false, true])
    expect([strangers.size, strangers.passedOver]).toEqual([2, 1])
    await clock.pass(60_000)
    expect(refuse('198.51.100.7')).toBe(true)
  })

  test('count all addresses of an IPv6 network as one, since whoever has one has them all', () => {
    const { strangers, refuse } = queue()
    for (let n = 0; n < 500; n += 1) refuse(`2001:db8:1:2:${n.toString(16)}::1`)
    refuse('2001:db8:1:3::1')
    expect([strangers.size, strangers.passedOver]).toEqual([2, 499])
  })

  test('are recorded with the address itself', () => {
    const { strangers, refuse } = queue()
    refuse('2001:db8:1:2::7')
    expect(strangers.take(10).map(({ entry }) => entry.src.ip)).toEqual(['2001:db8:1:2::7'])
  })
})
