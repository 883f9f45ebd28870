import { describe, expect, test } from 'vitest'
import { formatClock } from '../lib/time.ts'
import {
  answerText,
  differs,
  explain,
  headlineOf,
  isUsable,
  needsAttention,
  roleNames,
  stateOf,
  type MemberNow,
} from './member-words.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
const ago = (ms: number) => new Date(now - ms).toISOString()

function member(
  health: Partial<MemberNow['health']> = {},
  status: string | null = 'Online',
  rest: Partial<MemberNow> = {},
): MemberNow {
  return {
    name: 'server3',
    notContacted: null,
    presented: null,
    reported:
      status === null
        ? { value: null, freshness: { kind: 'unavailable', reason: 'nobody answers' } }
        : {
            value: {
              status,
              message: 'Fully operational',
              roles: [],
              groups: ['default'],
              failureDomain: 'default',
              architecture: 'x86_64',
              description: '',
              database: true,
            },
            freshness: { kind: 'fresh', asOf: ago(0) },
          },
    health: {
      standing: 'healthy',
      symptom: null,
      since: ago(60_000),
      answerMs: 4.1,
      answeredAt: ago(200),
      failure: null,
      ...health,
    },
    ...rest,
  }
}
const silent = (symptom: MemberNow['health']['symptom']) =>
  member({ standing: 'ejected', symptom, since: ago(9000), answeredAt: ago(11_000) })

describe('what a server is called', () => {
  test.each<[string, MemberNow, string, string, boolean]>([
    ['healthy', member(), 'Healthy', 'good', false],
    ['evacuated and answering', member({}, 'Evacuated'), 'Evacuated', 'info', false],
    ['evacuated and stuck', { ...silent('stuck'), reported: member({}, 'Evacuated').reported }, 'Stuck', 'bad', true],
    ['stuck while Online', silent('stuck'), 'Stuck', 'bad', true],
    ['stuck while Offline', { ...silent('stuck'), reported: member({}, 'Offline').reported }, 'Stuck', 'bad', false],
    ['refusing', silent('refusing'), 'Refusing', 'bad', true],
    ['unreachable', silent('unreachable'), 'Unreachable', 'bad', true],
    ['slow', member({ standing: 'suspect', symptom: 'slow', answerMs: 212 }), 'Slow', 'warning', false],
    ['starting', member({ standing: 'suspect', symptom: 'starting' }), 'Starting', 'warning', false],
    [
      'wrong certificate',
      member({ standing: 'untrusted', symptom: 'wrong-certificate' }),
      'Wrong certificate',
      'bad',
      true,
    ],
    ['without database', member({ standing: 'degraded', symptom: 'database' }), 'No database', 'warning', false],
    ['recovering', member({ standing: 'probation' }), 'Recovering', 'info', false],
    ['healthy but called Offline', member({}, 'Offline'), 'Healthy', 'good', true],
    [
      'not measured yet',
      member({ standing: 'unknown', answerMs: null, answeredAt: null }),
      'Unknown',
      'unknown',
      false,
    ],
    ['unknown status of a newer Incus', member({}, 'Pondering'), 'Healthy', 'good', false],
    ['not reported', member({}, null), 'Healthy', 'good', false],
    [
      'outside the allowed networks',
      member({ standing: 'unknown' }, 'Online', { notContacted: 'x' }),
      'Not contacted',
      'unknown',
      false,
    ],
  ])('%s', (_, row, word, tone, different) => {
    expect(stateOf(row)).toMatchObject({ word, tone })
    expect(differs(row)).toBe(different)
  })

  test('T-partial-rows: every standing and symptom has words, whatever else is missing', () => {
    const standings = ['healthy', 'probation', 'unknown', 'suspect', 'degraded', 'ejected', 'untrusted'] as const
    const symptoms = [
      null,
      'slow',
      'stuck',
      'refusing',
      'unreachable',
      'wrong-certificate',
      'starting',
      'database',
      'unauthorized',
    ] as const
    for (const standing of standings) {
      for (const symptom of symptoms) {
        for (const status of [null, 'Online', 'Offline', 'Evacuated', 'Blocked', '']) {
          const row = member({ standing, symptom, answerMs: null, answeredAt: null }, status)
          for (const text of [stateOf(row).word, headlineOf(row), explain(row, now, 20), answerText(row, now)]) {
            expect(text).not.toMatch(/undefined|null|NaN/)
            expect(text).not.toBe('')
          }
        }
      }
    }
  })
})

describe('the sentence about a server', () => {
  test.each<[MemberNow, string]>([
    [
      silent('stuck'),
      'server3 is stuck. It accepts connections but has not answered for 11 s. The cluster still calls it Online.',
    ],
    [
      silent('refusing'),
      'server3 refuses connections. The machine is there, but nothing listens: Incus is not running on it. Last answer 11 s ago. The cluster still calls it Online.',
    ],
    [
      { ...silent('unreachable'), reported: member({}, 'Offline').reported },
      'server3 is unreachable. No connection can be made to it. The machine or its network is gone. Last answer 11 s ago.',
    ],
    [
      member({ standing: 'suspect', symptom: 'slow', answerMs: 212, since: ago(180_000) }),
      "server3 is slow. Its slower answers take much longer than the others' (median 212 ms), for 3 min. Requests prefer the others.",
    ],
    [
      member({}, 'Evacuated'),
      'server3 is evacuated. It was taken out for maintenance; its instances are elsewhere or stopped.',
    ],
    [
      member({ standing: 'untrusted', symptom: 'wrong-certificate' }),
      'server3 presents a wrong certificate. What answers at its address is not known to be a server of this cluster, so nothing is sent to it. The cluster still calls it Online.',
    ],
  ])('%#', (row, sentence) => expect(`${headlineOf(row)}. ${explain(row, now, null)}`).toBe(sentence))
})

describe('until when the cluster calls a silent server Online', () => {
  const clock = formatClock(new Date(now + 9000).toISOString())
  test.each<[string, MemberNow, number | null, string]>([
    ['twenty seconds after its last answer', silent('stuck'), 20, ` Online, until about ${clock}.`],
    ['the same for one that refuses', silent('refusing'), 20, ` Online, until about ${clock}.`],
    ['not told where the threshold may not be seen', silent('stuck'), null, ' Online.'],
    ['not told once it has passed', silent('stuck'), 11, ' Online.'],
    [
      'not told of one that never answered',
      member({ standing: 'ejected', symptom: 'stuck', answeredAt: null }),
      20,
      ' Online.',
    ],
    ['not told of one that answers', member({ standing: 'untrusted', symptom: 'wrong-certificate' }), 20, ' Online.'],
    [
      'not told of one that is called Evacuated',
      { ...silent('stuck'), reported: member({}, 'Evacuated').reported },
      20,
      ' Evacuated.',
    ],
  ])('is %s', (_, row, threshold, end) => {
    expect(explain(row, now, threshold)).toContain(`The cluster still calls it${end}`)
  })

  test('is no sentence where the cluster calls it Offline', () => {
    const offline = { ...silent('stuck'), reported: member({}, 'Offline').reported }
    expect(explain(offline, now, 60)).toBe('It accepts connections but has not answered for 11 s.')
  })
})

test('the answer column says since when there is none', () => {
  expect(answerText(member(), now)).toBe('4.1 ms')
  expect(answerText(silent('stuck'), now)).toBe('no answer 11 s')
  expect(answerText(member({ standing: 'unknown', answerMs: null }), now)).toBe('measuring')
  expect(answerText(member({ standing: 'untrusted', symptom: 'wrong-certificate' }), now)).toBe('not asked')
})

test('requests enter through slow and evacuated servers, not through silent or untrusted ones', () => {
  expect(isUsable(member({ standing: 'suspect', symptom: 'slow' }))).toBe(true)
  expect(isUsable(member({}, 'Evacuated'))).toBe(true)
  expect(isUsable(silent('stuck'))).toBe(false)
  expect(isUsable(member({ standing: 'untrusted' }))).toBe(false)
  expect(isUsable(member({}, 'Online', { notContacted: 'x' }))).toBe(false)
})

test('an evacuated server needs no attention, one that the cluster calls Offline does', () => {
  expect(needsAttention(member({}, 'Evacuated'))).toBe(false)
  expect(needsAttention(member({}, 'Offline'))).toBe(true)
  expect(needsAttention(silent('stuck'))).toBe(true)
})

test('roles are said in words, the leader first', () => {
  expect(roleNames(['event-hub', 'database', 'database-leader'])).toEqual(['Leader', 'Event hub'])
  expect(roleNames(['database'])).toEqual(['Voter'])
  expect(roleNames(['x-new', 'database-standby'])).toEqual(['Standby', 'x-new'])
})
