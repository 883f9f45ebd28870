import { Incident } from '@malleus/shared/api/incidents.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import { standings } from '@malleus/shared/domain/health.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instant } from '../lib/clock.ts'
import type { KeptIncident, RequestSeen } from './incident.ts'
import {
  awaitsCluster,
  beginIncident,
  continueIncident,
  endByLeaving,
  endIncident,
  hasDeparted,
  isDoubt,
  noteReported,
  noteRequest,
  resumeIncident,
  viewOf,
} from './incident.ts'

const start = Date.UTC(2026, 0, 1)
const at = (seconds: number) => start + seconds * 1_000
const believed = (standing: Standing, symptom: Symptom | null = null) => ({ standing, symptom, message: null })

/** An incident that began as `suspect`, and went on like that: seconds, standing, symptom. */
function course(...steps: readonly (readonly [number, Standing, Symptom?])[]): KeptIncident {
  const first = beginIncident({
    id: 'i',
    member: 'server3',
    beginning: 'seen',
    believed: believed('suspect'),
    lastAnswerAt: at(-1),
    reported: 'Online',
    panic: false,
    now: at(0),
  })
  return steps.reduce(
    (incident, [seconds, standing, symptom]) => continueIncident(incident, believed(standing, symptom), at(seconds)),
    first,
  )
}

describe('an incident begins', () => {
  test.each<[Standing, boolean]>([
    ['healthy', false],
    ['unknown', false],
    ['probation', true],
    ['suspect', true],
    ['degraded', true],
    ['ejected', true],
    ['untrusted', true],
  ])('%s: %s', (standing, departed) => {
    expect(hasDeparted(standing)).toBe(departed)
  })

  test('at the moment when the console notices, and says when the last answer was', () => {
    expect(course()).toMatchObject({
      beganAt: instant(at(0)),
      lastAnswerAt: instant(at(-1)),
      end: null,
      worst: 'suspect',
    })
  })
})

describe('in its course', () => {
  test('every change of standing and symptom is a step, the same again is not', () => {
    const { steps } = course([1, 'suspect'], [2, 'suspect', 'stuck'], [3, 'ejected', 'stuck'], [9, 'ejected', 'stuck'])
    expect(steps.map((step) => `${step.standing} ${step.symptom ?? '-'}`)).toEqual([
      'suspect -',
      'suspect stuck',
      'ejected stuck',
    ])
  })

  test('the worst is kept, and only the time in which it was not healthy is counted', () => {
    const incident = course(
      [1, 'ejected', 'stuck'],
      [11, 'probation'],
      [15, 'healthy'],
      [20, 'suspect'],
      [22, 'healthy'],
    )
    expect(incident).toMatchObject({ worst: 'ejected', outMs: 17_000, relapses: 1, quietSince: instant(at(22)) })
    expect(viewOf(incident, at(40)).outMs).toBe(17_000)
    expect(viewOf(course([1, 'ejected', 'stuck']), at(40)).outMs).toBe(40_000)
  })

  test.each<[string, KeptIncident, Symptom | null]>([
    [
      'the one that lasted longest',
      course([1, 'ejected', 'refusing'], [60, 'ejected', 'starting'], [65, 'healthy']),
      'refusing',
    ],
    ['the first, while nothing has lasted', course([0, 'ejected', 'stuck']), 'stuck'],
    [
      'what it turned into, once that lasted longer',
      course([1, 'suspect', 'slow'], [3, 'ejected', 'stuck'], [9, 'healthy']),
      'stuck',
    ],
    ['what it is now, however long it was another', course([1, 'suspect', 'slow'], [60, 'ejected', 'stuck']), 'stuck'],
    ['none, where none showed', course([2, 'healthy']), null],
  ])('its symptom is %s', (_, incident, symptom) => {
    expect(incident.symptom).toBe(symptom)
  })

  test('that nothing is known of the member for a moment is no change', () => {
    const incident = course([1, 'ejected', 'stuck'])
    expect(continueIncident(incident, believed('unknown'), at(2))).toBe(incident)
  })

  test('it does not grow without end: how it began and the latest are kept, and how much is missing is said', () => {
    const flapping = Array.from({ length: 500 }, (_, n) => [n, n % 2 === 0 ? 'healthy' : 'suspect'] as const)
    const incident = course(...flapping)
    expect(incident.steps).toHaveLength(100)
    expect(incident.stepsLeftOut).toBe(401)
    expect(incident.steps[0]?.at).toBe(instant(at(0)))
    expect(incident.steps.at(-1)?.at).toBe(instant(at(499)))
    expect(incident.relapses).toBe(250)
  })

  test('whatever happens, what is told of it is well formed, and its times are not longer than it is', () => {
    const step = fc.tuple(
      fc.nat(100),
      fc.constantFrom(...standings),
      fc.constantFrom<Symptom[]>('slow', 'stuck', 'starting'),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        let seconds = 0
        const incident = course(...steps.map(([s, standing, symptom]) => [(seconds += s), standing, symptom] as const))
        const view = Incident.parse(viewOf(incident, at(seconds)))
        expect(view.outMs).toBeLessThanOrEqual(seconds * 1_000)
        expect(view.steps.length).toBeLessThanOrEqual(100)
        expect(Object.values(incident.symptomMs).reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(view.outMs)
      }),
    )
  })
})

describe('an incident ends', () => {
  test('at the moment when the member became healthy', () => {
    const incident = endIncident(course([1, 'ejected', 'stuck'], [11, 'healthy']))
    expect(incident).toMatchObject({ end: { how: 'recovered', at: instant(at(11)) }, quietSince: null, outMs: 11_000 })
    expect(viewOf(incident, at(1_000)).outMs).toBe(11_000)
  })

  test('when the member is taken out of the cluster', () => {
    expect(endByLeaving(course([1, 'ejected', 'stuck']), at(50))).toMatchObject({
      end: { how: 'left', at: instant(at(50)) },
      outMs: 50_000,
      symptom: 'stuck',
    })
  })

  test.each<[string, KeptIncident, boolean]>([
    ['a doubt of a moment', endIncident(course([1, 'healthy'])), true],
    ['a doubt that lasted', endIncident(course([12, 'healthy'])), false],
    ['one that is not over', course(), false],
    ['more than a doubt', endIncident(course([1, 'ejected'], [2, 'healthy'])), false],
    [
      'a doubt that people noticed',
      endIncident(noteRequest(course([1, 'healthy']), seen({ silent: true, tookMs: 900 }))),
      false,
    ],
  ])('%s is a doubt: %s', (_, incident, doubt) => {
    expect(isDoubt(incident)).toBe(doubt)
  })
})

describe('after a pause of the console', () => {
  const before = course([1, 'ejected', 'stuck'])
  const pause = (seconds: number) => ({ from: at(10), to: at(10 + seconds) })

  test('what goes on is the same incident, with a gap in which nothing is counted', () => {
    const { kind, incident } = resumeIncident(before, pause(60), believed('ejected', 'stuck'), at(71))
    expect(kind).toBe('goes-on')
    expect(incident.gaps).toEqual([{ from: instant(at(10)), to: instant(at(70)) }])
    expect(viewOf(incident, at(80)).outMs).toBe(20_000)
    expect(incident.end).toBeNull()
  })

  test('what is healthy now was over at some time in between', () => {
    const { kind, incident } = resumeIncident(before, pause(60), believed('healthy'), at(71))
    expect(kind).toBe('over')
    expect(incident.end).toEqual({ how: 'unseen', from: instant(at(10)), at: instant(at(71)) })
  })

  test('what had been healthy again before was over then', () => {
    const { kind, incident } = resumeIncident(course([2, 'healthy']), pause(60), believed('healthy'), at(71))
    expect(kind).toBe('over')
    expect(incident.end).toEqual({ how: 'recovered', at: instant(at(2)) })
  })

  test('after a long one, what is not healthy is another incident', () => {
    const { kind, incident } = resumeIncident(before, pause(16 * 60), believed('ejected', 'stuck'), at(1_000))
    expect(kind).toBe('over')
    expect(incident.end).toEqual({ how: 'unseen', from: instant(at(10)), at: instant(at(970)) })
  })

  test('a relapse during a pause is one', () => {
    const { incident } = resumeIncident(course([2, 'healthy']), pause(60), believed('ejected', 'stuck'), at(71))
    expect(incident).toMatchObject({ relapses: 1, quietSince: null, worst: 'ejected' })
  })
})

describe('what the cluster says', () => {
  const said = (...words: readonly (readonly [number, string])[]) =>
    words.reduce((incident, [seconds, status]) => noteReported(incident, status, at(seconds)), course([1, 'ejected']))

  test('is when it first called it Offline, and when Online again', () => {
    expect(said([10, 'Online'], [21, 'Offline'], [30, 'Offline'], [50, 'Online'], [60, 'Online']).cluster).toEqual({
      atFirst: 'Online',
      offlineAt: instant(at(21)),
      onlineAt: instant(at(50)),
    })
  })

  test('is that it never noticed, where it did not', () => {
    expect(said([10, 'Online'], [21, 'Evacuated']).cluster).toEqual({
      atFirst: 'Online',
      offlineAt: null,
      onlineAt: null,
    })
  })

  test('goes on when it calls it Offline again', () => {
    const { cluster } = said([21, 'Offline'], [50, 'Online'], [70, 'Offline'])
    expect(cluster).toEqual({ atFirst: 'Online', offlineAt: instant(at(21)), onlineAt: null })
  })

  test('counts after the end too, but what is new then is of another incident', () => {
    const over = endIncident(continueIncident(said([21, 'Offline']), believed('healthy'), at(30)))
    expect(awaitsCluster(over)).toBe(true)
    const heard = noteReported(over, 'Online', at(41))
    expect(heard.cluster.onlineAt).toBe(instant(at(41)))
    expect(awaitsCluster(heard)).toBe(false)
    expect(noteReported(heard, 'Offline', at(99))).toBe(heard)
  })
})

describe('what people noticed', () => {
  test.each<[string, Partial<RequestSeen>, Partial<KeptIncident['requests']>]>([
    ['nothing, where another server was asked from the start', {}, {}],
    ['that another server had to be asked', { silent: true }, { hedged: 1 }],
    ['that it took long, too', { silent: true, tookMs: 301 }, { hedged: 1, slowed: 1 }],
    ['that it failed', { silent: true, answered: false, tookMs: 5_000 }, { failed: 1 }],
    ['that the member itself answered late', { via: true, tookMs: 800 }, { slowed: 1 }],
    ['not what was slow elsewhere', { tookMs: 800 }, {}],
    ['not what failed without it', { answered: false }, {}],
  ])('is %s', (_, request, counts) => {
    expect(noteRequest(course(), seen(request)).requests).toEqual({
      total: 1,
      hedged: 0,
      failed: 0,
      slowed: 0,
      ...counts,
    })
  })
})

function seen(fields: Partial<RequestSeen> = {}): RequestSeen {
  return { answered: true, silent: false, via: false, tookMs: 5, ...fields }
}
