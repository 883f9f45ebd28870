import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import { describe, expect, test } from 'vitest'
import type { Failure, Health, Judgement, Observation } from './health.ts'
import { firstAttemptShare, isPanic, nextHealth, unknownHealth } from './health.ts'
import { healthSettings } from './health-settings.ts'

const settings = healthSettings()
const start = { wallMs: 1_000_000, monotonicMs: 0 }

/** What is believed after all that was seen, each a quarter of a second after the one before. */
function after(...seen: (Observation | Judgement)[]): Health {
  return seen.reduce(
    (health, each, index) => nextHealth(health, each, at(250 * (index + 1)), settings, 0.5),
    unknownHealth(start),
  )
}

function at(ms: number) {
  return { wallMs: start.wallMs + ms, monotonicMs: ms }
}

const good: Observation = { kind: 'probe-answered', answerMs: 2, fresh: false }
const goodFresh: Observation = { kind: 'probe-answered', answerMs: 2, fresh: true }
const slow: Judgement = { kind: 'pace', slow: true, message: 'Answered after 180 ms.' }
const notSlow: Judgement = { kind: 'pace', slow: false, message: '' }
const cutOff: Judgement = { kind: 'database', answers: false, message: 'It does not reach the database.' }
const reachesDatabase: Judgement = { kind: 'database', answers: true, message: '' }
const unauthorized: Observation = { kind: 'authorization', works: false, message: 'It has no OpenID Connect.' }
const authorized: Observation = { kind: 'authorization', works: true }
const leftBehind: Observation = { kind: 'certificate', agrees: false, message: 'It presents the one before.' }
const agrees: Observation = { kind: 'certificate', agrees: true }
const silentRequest: Observation = { kind: 'request-silent', waitedMs: 200 }
const requestOk: Observation = { kind: 'request-answered', answerMs: 12 }

function failure(phase: Failure['phase'], how: Failure['how'], fresh = true): Failure {
  return { phase, how, fresh, message: `${phase}: ${how}` }
}
function failed(phase: Failure['phase'], how: Failure['how'], fresh = true): Observation {
  return { kind: 'probe-failed', failure: failure(phase, how, fresh) }
}
function moreOf(phase: Failure['phase'], how: Failure['how']): Observation {
  return { kind: 'probe-failed', failure: failure(phase, how), counts: false }
}
function requestFailed(phase: Failure['phase'], how: Failure['how'], fresh = true): Observation {
  return { kind: 'request-failed', failure: failure(phase, how, fresh) }
}
const warmSilence = failed('answer', 'silent', false)
const killed = failed('connect', 'refused')
const stopped = failed('tls', 'silent')
const cutFromUs = failed('connect', 'silent')
const impostor = failed('certificate', 'wrong-certificate')

describe('what is believed after', () => {
  const table: [string, (Observation | Judgement)[], Standing, Symptom | null][] = [
    // at start
    ['nothing', [], 'unknown', null],
    ['one good probe at start is healthy at once', [good], 'healthy', null],
    ['one failed probe at start', [killed], 'suspect', 'refusing'],
    ['two failed probes at start', [killed, killed], 'ejected', 'refusing'],
    ['a request that went well is no measurement', [requestOk], 'unknown', null],

    // active evidence
    ['one lost answer on the warm connection does not say why', [good, warmSilence], 'suspect', null],
    ['one lost answer, and the next one comes', [good, warmSilence, good], 'healthy', null],
    ['failures that are not in a row', [good, warmSilence, good, warmSilence], 'suspect', null],
    ['a stopped process: TCP connects, TLS hangs', [good, warmSilence, stopped], 'ejected', 'stuck'],
    ['a killed process', [good, failed('answer', 'closed', false), killed], 'ejected', 'refusing'],
    ['a link that is down', [good, warmSilence, cutFromUs], 'ejected', 'unreachable'],
    ['no route', [good, warmSilence, failed('connect', 'no-route')], 'ejected', 'unreachable'],
    ['a name that is gone', [good, failed('resolve', 'no-route')], 'suspect', 'unreachable'],
    [
      'TLS answers and HTTP hangs, out of the blue',
      [good, warmSilence, failed('answer', 'silent')],
      'ejected',
      'stuck',
    ],
    ['it says that it is starting', [good, failed('answer', 'starting', false)], 'suspect', 'starting'],
    ['it accepts connections and closes them', [good, warmSilence, failed('tls', 'closed')], 'ejected', 'refusing'],

    // the symptom follows the truth while it is ejected
    [
      'TLS answers and HTTP hangs after it was down',
      [good, killed, killed, failed('answer', 'silent')],
      'ejected',
      'starting',
    ],
    [
      'a quick restart seen as a closed connection',
      [good, failed('answer', 'closed', false), failed('answer', 'silent')],
      'ejected',
      'starting',
    ],
    [
      'a quick restart seen as a connection that was gone',
      [good, { kind: 'probe-failed', failure: { ...failure('answer', 'silent'), reconnected: true } }],
      'suspect',
      'starting',
    ],
    ['never seen, and HTTP hangs', [failed('answer', 'silent')], 'suspect', 'starting'],
    ['stuck, then killed', [good, warmSilence, stopped, killed], 'ejected', 'refusing'],
    ['cut off, then stopped', [good, warmSilence, cutFromUs, stopped], 'ejected', 'stuck'],
    ['stopped while it was starting', [killed, killed, failed('answer', 'silent'), stopped], 'ejected', 'stuck'],

    // the end of a probe that was reported silent before
    [
      'better evidence of the same probe does not count twice',
      [good, failed('connect', 'silent'), moreOf('connect', 'no-route')],
      'suspect',
      'unreachable',
    ],
    [
      'better evidence changes the symptom',
      [good, failed('connect', 'silent'), moreOf('tls', 'silent')],
      'suspect',
      'stuck',
    ],

    // passive evidence
    ['a request cut off on an old connection', [good, requestFailed('answer', 'closed', false)], 'suspect', null],
    ['a request refused at the door', [good, requestFailed('connect', 'refused')], 'suspect', 'refusing'],
    ['silence while another member answered', [good, silentRequest], 'suspect', null],
    [
      'requests alone never eject',
      [good, silentRequest, silentRequest, requestFailed('connect', 'silent')],
      'suspect',
      'unreachable',
    ],
    ['doubt, and the probe answers', [good, silentRequest, good], 'healthy', null],
    ['doubt, and a request answers: the probe decides', [good, silentRequest, requestOk], 'suspect', null],
    ['doubt, and the probe confirms it', [good, silentRequest, stopped, stopped], 'ejected', 'stuck'],

    // coming back
    ['the first answer after an ejection', [killed, killed, good], 'probation', null],
    ['one failed probe on probation', [killed, killed, good, warmSilence], 'suspect', null],
    ['two failed probes on probation', [killed, killed, good, warmSilence, stopped], 'ejected', 'stuck'],
    ['good probes while the ejection time runs', [killed, killed, good, good, good, good], 'probation', null],

    // the wrong certificate
    ['an impostor at once, without a second question', [good, impostor], 'untrusted', 'wrong-certificate'],
    [
      'an impostor met by a request',
      [good, requestFailed('certificate', 'wrong-certificate')],
      'untrusted',
      'wrong-certificate',
    ],
    [
      'answers on an old connection do not clear an impostor',
      [good, impostor, good, good],
      'untrusted',
      'wrong-certificate',
    ],
    ['the right certificate in a new handshake does', [good, impostor, goodFresh], 'probation', null],
    ['an impostor that went away is not trusted for it', [good, impostor, killed, killed], 'untrusted', 'refusing'],

    // slow
    ['much slower than the others', [good, slow], 'suspect', 'slow'],
    ['no longer slow', [good, slow, notSlow], 'healthy', null],
    ['slow, then stuck', [good, slow, stopped, stopped], 'ejected', 'stuck'],
    ['slow after an ejection', [killed, killed, good, slow], 'suspect', 'slow'],

    // what is behind it
    ['cut off from the database while others are not', [good, cutOff], 'degraded', 'database'],
    ['the database is back', [good, cutOff, reachesDatabase], 'healthy', null],
    ['slow and cut off from the database: the worse word counts', [good, slow, cutOff], 'degraded', 'database'],
    ['it does not take the credentials of people', [good, unauthorized], 'degraded', 'unauthorized'],
    ['it takes them again', [good, unauthorized, authorized], 'healthy', null],
    ['a deep probe alone judges nobody', [good, { kind: 'deep-failed', message: 'No answer.' }], 'healthy', null],
    ['it presents an old certificate', [good, leftBehind], 'degraded', 'old-certificate'],
    ['it presents an old certificate, and answers on', [good, leftBehind, good, good], 'degraded', 'old-certificate'],
    ['it presents the same as the others again', [good, leftBehind, agrees], 'healthy', null],
    ['an old certificate, and stopped', [good, leftBehind, warmSilence, stopped], 'ejected', 'stuck'],
    ['unauthorized, and killed', [good, unauthorized, killed, killed], 'ejected', 'refusing'],
  ]

  test.each(table)('%s', (_, seen, standing, symptom) => {
    const health = after(...seen)
    expect({ standing: health.standing, symptom: health.symptom }).toEqual({ standing, symptom })
  })
})

describe('an ejection', () => {
  test('lasts 5 s, then twice as long each time, and at most 60 s', () => {
    let health = after(good)
    const lengths: number[] = []
    let now = 1_000
    for (let round = 0; round < 6; round += 1) {
      for (let probe = 0; probe < 2; probe += 1) health = nextHealth(health, stopped, at(now), settings, 0.5)
      lengths.push((health.evidence.heldUntil ?? 0) - now)
      now += lengths.at(-1)! + 1
      for (let probe = 0; probe < 3; probe += 1) health = nextHealth(health, good, at(now), settings, 0.5)
      expect(health.standing).toBe('healthy')
    }
    expect(lengths).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
  })

  test.each([
    [0, 4_000],
    [0.5, 5_000],
    [0.999_999, 6_000],
  ])('varies by a fifth with chance %f', (fraction, length) => {
    const once = nextHealth(after(good), stopped, at(1_000), settings, fraction)
    const twice = nextHealth(once, stopped, at(2_000), settings, fraction)
    expect((twice.evidence.heldUntil ?? 0) - 2_000).toBeCloseTo(length, -1)
  })

  test('is forgotten after five minutes of good health', () => {
    let health = after(good, stopped, stopped)
    for (const now of [10_000, 10_250, 10_500]) health = nextHealth(health, good, at(now), settings, 0.5)
    expect(health).toMatchObject({ standing: 'healthy', evidence: { ejections: 1 } })
    health = nextHealth(health, good, at(10_500 + 299_999), settings, 0.5)
    expect(health.evidence.ejections).toBe(1)
    health = nextHealth(health, good, at(10_500 + 300_000), settings, 0.5)
    expect(health.evidence.ejections).toBe(0)
  })

  test('goes on to count while it lasts, without getting longer', () => {
    const health = after(good, stopped, stopped)
    const later = nextHealth(health, stopped, at(4_000), settings, 0.5)
    expect(later.evidence).toMatchObject({ failedProbes: 3, ejections: 1, heldUntil: health.evidence.heldUntil })
  })

  test('ends with the first good probe, whenever it comes: what is said stays true', () => {
    expect(nextHealth(after(good, stopped, stopped), good, at(800), settings, 0.5).standing).toBe('probation')
  })
})

describe('the share of first attempts', () => {
  const back = after(good, stopped, stopped, good)

  test('is a full one while healthy and before anything is known', () => {
    expect(firstAttemptShare(after(good), 5_000, settings)).toBe(1)
    expect(firstAttemptShare(after(), 5_000, settings)).toBe(1)
  })

  test.each<[string, Health]>([
    ['suspect', after(good, silentRequest)],
    ['degraded', after(good, cutOff)],
    ['ejected', after(good, stopped, stopped)],
    ['untrusted', after(good, impostor)],
  ])('is nothing while %s', (standing, health) => {
    expect(health.standing).toBe(standing)
    expect(firstAttemptShare(health, 5_000, settings)).toBe(0)
  })

  test('is nothing until the ejection time is over, and a tenth after it', () => {
    expect(back.standing).toBe('probation')
    const heldUntil = back.evidence.heldUntil!
    expect(firstAttemptShare(back, heldUntil - 1, settings)).toBe(0)
    expect(firstAttemptShare(back, heldUntil, settings)).toBe(0.1)
  })

  test('grows to a full one within ten seconds of recovery', () => {
    let health = back
    for (const now of [6_000, 6_500]) health = nextHealth(health, good, at(now), settings, 0.5)
    expect(health.standing).toBe('healthy')
    expect(firstAttemptShare(health, 6_500, settings)).toBeCloseTo(0.1)
    expect(firstAttemptShare(health, 11_500, settings)).toBeCloseTo(0.55)
    expect(firstAttemptShare(health, 16_500, settings)).toBe(1)
    expect(firstAttemptShare(health, 60_000, settings)).toBe(1)
  })
})

describe('since, and why', () => {
  test('the beginning is kept while the words stay the same', () => {
    const health = after(good, warmSilence, stopped)
    expect(health.since).toBe(at(750).wallMs)
    const later = nextHealth(health, stopped, at(9_000), settings, 0.5)
    expect(later.since).toBe(at(750).wallMs)
    expect(later.failure).toMatchObject({ phase: 'tls', at: at(9_000).wallMs })
  })

  test('a new symptom is a new beginning', () => {
    expect(nextHealth(after(good, warmSilence, stopped), killed, at(9_000), settings, 0.5).since).toBe(at(9_000).wallMs)
  })

  test('a healthy member has no failure', () => {
    expect(after(good, warmSilence, good).failure).toBeNull()
  })

  test('any answer is noted, with its time', () => {
    expect(after(good, warmSilence, stopped).answeredAt).toBe(at(250).wallMs)
    expect(after(good, requestOk).answeredAt).toBe(at(500).wallMs)
    expect(after(killed, killed).answeredAt).toBeNull()
  })
})

describe('panic', () => {
  const cases: [string, Standing[], boolean][] = [
    ['no members', [], false],
    ['nothing known yet', ['unknown', 'unknown', 'unknown'], false],
    ['all healthy', ['healthy', 'healthy', 'healthy'], false],
    ['one of three ejected', ['healthy', 'healthy', 'ejected'], false],
    ['half of them', ['healthy', 'ejected'], false],
    ['two of three ejected', ['healthy', 'ejected', 'ejected'], true],
    ['degraded members answer', ['degraded', 'degraded', 'ejected'], false],
    ['probation counts as answering', ['probation', 'probation', 'ejected'], false],
    ['suspects do not', ['healthy', 'suspect', 'suspect'], true],
    ['the only one is gone', ['ejected'], true],
    ['unknown ones have no say', ['healthy', 'unknown', 'unknown'], false],
    ['impostors do not answer', ['healthy', 'untrusted', 'untrusted'], true],
  ]
  test.each(cases)('%s', (_, standings, panic) => {
    expect(isPanic(standings, settings)).toBe(panic)
  })
})
