import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { AuditEntry, AuditPhase } from '../audit/record.ts'
import { auditEntry, incusActor, noHash, placeRecord, requestOf } from '../audit/record.ts'
import { Confirmations } from './confirmations.ts'

const out = { status: null, op: null, opStatus: null, bytes: null, ms: null, code: null }

function world(isFollowed = true) {
  const clock = new ManualClock()
  const flagged: AuditEntry[] = []
  const confirmations = new Confirmations({
    history: { record: (entry) => flagged.push(entry) },
    isFollowed: () => isFollowed,
    clock,
    logger: pino({ level: 'silent' }),
  })
  let seq = 0
  const hear = (entry: AuditEntry, phase: AuditPhase = 'outcome'): void => {
    seq += 1
    confirmations.hear(
      placeRecord(entry, phase, new Date(clock.now()).toISOString(), { chain: 'c', seq, prev: noHash }),
    )
  }
  return { clock, flagged, confirmations, hear }
}

function evacuation(said: Partial<AuditEntry['out'] & object>): AuditEntry {
  const req = requestOf({ id: 'r1', method: 'POST', route: '', path: '' })
  return auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3', req, out: { ...out, ...said } })
}

function evacuated(object = 'server3', protocol = 'oidc'): AuditEntry {
  const actor = incusActor('jo', protocol)
  return auditEntry({ source: 'incus', action: 'cluster-member-evacuated', cluster: 'prod-eu', object, actor })
}

describe('a change through this console', () => {
  test('of which Incus does not tell within half a minute of its end is flagged', async () => {
    const { clock, flagged, hear } = world()
    hear(evacuation({ status: 202, op: 'o1' }))
    await clock.pass(120_000)
    expect(flagged).toEqual([])
    hear(evacuation({ op: 'o1', opStatus: 'success' }))
    await clock.pass(29_000)
    expect(flagged).toEqual([])
    await clock.pass(1_000)
    expect(flagged).toMatchObject([
      { action: 'member.evacuate', object: 'server3', req: { id: 'r1' }, out: { code: 'unconfirmed' } },
    ])
    await clock.pass(120_000)
    expect(flagged).toHaveLength(1)
  })

  test.each([
    ['before', 0],
    ['after', 1],
  ])('is confirmed by an event %s its end', async (_, when) => {
    const { clock, flagged, hear } = world()
    if (when === 0) hear(evacuated(), 'event')
    hear(evacuation({ op: 'o1', opStatus: 'success' }))
    await clock.pass(20_000)
    if (when === 1) hear(evacuated(), 'event')
    await clock.pass(60_000)
    expect(flagged).toEqual([])
  })

  test('is not confirmed by the event of another object, nor of somebody at the server itself', async () => {
    const { clock, flagged, hear } = world()
    hear(evacuated('server2'), 'event')
    hear(evacuated('server3', 'unix'), 'event')
    hear(evacuation({ op: 'o1', opStatus: 'success' }))
    await clock.pass(60_000)
    expect(flagged).toHaveLength(1)
  })

  test.each([
    ['that failed', evacuation({ op: 'o1', opStatus: 'failure', code: 'cluster_failed' })],
    ['that was refused', { ...evacuation({ status: 403 }), decision: { allow: false, rule: 'role' } }],
    ['with an unknown outcome', evacuation({ op: null, opStatus: 'unknown' })],
    ['that has no event', { ...evacuation({ status: 200 }), action: 'trust.token' }],
  ])('%s waits for nothing', async (_, entry) => {
    const { clock, flagged, hear } = world()
    hear(entry)
    await clock.pass(60_000)
    expect(flagged).toEqual([])
  })

  test('in a cluster whose events are not followed waits for nothing', async () => {
    const { clock, flagged, hear } = world(false)
    hear(evacuation({ op: 'o1', opStatus: 'success' }))
    await clock.pass(60_000)
    expect(flagged).toEqual([])
  })

  test('that has an answer at once is expected from then on', async () => {
    const { clock, flagged, hear } = world()
    hear({ ...evacuation({ status: 200 }), action: 'certificate.replace', object: null })
    await clock.pass(60_000)
    expect(flagged).toHaveLength(1)
  })
})
