import type { Incident } from '@malleus/shared/api/incidents.ts'
import { describe, expect, test } from 'vitest'
import {
  clusterText,
  courseOf,
  howItEnded,
  incidentTitle,
  lengthText,
  noticedText,
  whatElse,
  whatPeopleNoticed,
  whenTheClusterNoticed,
} from './incident-words.ts'

const start = Date.parse('2026-01-01T12:00:00.000Z')
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString()
const now = start + 41_000

function incident(fields: Partial<Incident> = {}): Incident {
  return {
    id: 'i',
    member: 'server3',
    beganAt: at(0),
    beginning: 'seen',
    lastAnswerAt: at(-1),
    end: null,
    quietSince: null,
    symptom: 'stuck',
    worst: 'ejected',
    relapses: 0,
    outMs: 41_000,
    requests: { total: 0, hedged: 0, failed: 0, slowed: 0 },
    cluster: { atFirst: 'Online', offlineAt: null, onlineAt: null },
    panic: false,
    gaps: [],
    steps: [
      { at: at(0), standing: 'suspect', symptom: null, message: 'No answer within 400 ms.' },
      { at: at(1), standing: 'ejected', symptom: 'stuck', message: 'No TLS handshake.' },
    ],
    stepsLeftOut: 0,
    ...fields,
  }
}
const over = { end: { how: 'recovered', at: at(11) } } as const

describe('the title of an incident', () => {
  test.each<[Incident, string]>([
    [incident(), 'server3 has been stuck for 41 s'],
    [incident(over), 'server3 was stuck for 11 s'],
    [incident({ ...over, symptom: null, worst: 'suspect' }), 'server3 was in doubt for 11 s'],
    [incident({ ...over, symptom: null }), 'server3 was without an answer for 11 s'],
    [
      incident({ ...over, symptom: 'database', worst: 'degraded' }),
      'server3 was cut off from the cluster database for 11 s',
    ],
    [incident({ end: { how: 'unseen', from: at(5), at: at(90) } }), 'server3 was stuck'],
    [incident({ quietSince: at(20) }), 'server3 has been stuck for 20 s'],
  ])('%#', (given, title) => {
    expect(incidentTitle(given, now)).toBe(title)
  })
})

describe('how long it lasted', () => {
  test.each<[Partial<Incident>, string]>([
    [{}, '41 s, going on'],
    [{ quietSince: at(20) }, '20 s, healthy again'],
    [over, '11 s'],
    [{ ...over, beginning: 'found' }, 'at least 11 s'],
    [{ end: { how: 'unseen', from: at(5), at: at(90) } }, 'not known'],
  ])('%#', (fields, text) => {
    expect(lengthText(incident(fields), now)).toBe(text)
  })
})

describe('what people noticed', () => {
  const requests = (total: number, hedged = 0, failed = 0, slowed = 0) => ({ total, hedged, failed, slowed })
  test.each<[Incident['requests'], string, string]>([
    [requests(0), 'Nobody asked for anything in that time.', 'nobody asked'],
    [requests(1), 'Of 1 request, each was answered, and none late.', 'nothing'],
    [
      requests(9, 2),
      'Of 9 requests, each was answered, and none late; 2 were answered by another server instead.',
      '2 hedged',
    ],
    [
      requests(9, 1, 3, 2),
      'Of 9 requests, 3 got no answer, 2 took longer than 300 ms and 1 was answered by another server instead.',
      '3 unanswered, 2 late, 1 hedged',
    ],
  ])('%o', (given, sentence, text) => {
    expect(whatPeopleNoticed({ requests: given, end: over.end })).toBe(sentence)
    expect(noticedText(given)).toBe(text)
  })

  test('while it goes on, somebody may still ask', () => {
    expect(whatPeopleNoticed({ requests: requests(0), end: null })).toBe('Nobody has asked for anything yet.')
  })
})

describe('when the cluster noticed', () => {
  const said = (atFirst: string | null, offline: number | null = null, online: number | null = null) => ({
    cluster: {
      atFirst,
      offlineAt: offline === null ? null : at(offline),
      onlineAt: online === null ? null : at(online),
    },
  })
  test.each<[Partial<Incident>, string, string]>([
    [said(null), 'What the cluster said of it, this console could not read.', 'not known'],
    [said('Online'), 'The cluster has not noticed yet: it calls server3 Online.', 'not yet'],
    [{ ...said('Online'), ...over }, 'The cluster never noticed: it called server3 Online all the time.', 'never'],
    [said('Online', 21), 'The cluster called it Offline 21 s after this console noticed.', 'after 21 s'],
    [
      said('Online', 21, 35),
      'The cluster called it Offline 21 s after this console noticed, and Online again at ….',
      'after 21 s',
    ],
    [
      { ...said('Online', 5, 19), ...over },
      'The cluster called it Offline 5 s after this console noticed, and Online again 8 s after it answered.',
      'after 5 s',
    ],
    [
      { ...said('Online', 5, 11), ...over },
      'The cluster called it Offline 5 s after this console noticed, and Online again by the time it answered.',
      'after 5 s',
    ],
    [
      { ...said('Online', 5), ...over },
      'The cluster called it Offline 5 s after this console noticed, and was not seen to call it Online again.',
      'after 5 s',
    ],
    [said('Offline'), 'The cluster called server3 Offline already.', 'before'],
  ])('%#', (fields, sentence, text) => {
    expect(whenTheClusterNoticed(incident(fields)).replace(/\d\d:00:35/, '…')).toBe(sentence)
    expect(clusterText(incident(fields))).toBe(text)
  })
})

test("what most servers had at the same time may be nobody's fault but the network's", () => {
  expect(whatElse(incident())).toBeNull()
  expect(whatElse(incident({ panic: true }))).toContain('the network between this console and the cluster')
})

describe('its end', () => {
  test.each<[Partial<Incident>, RegExp]>([
    [{}, /^It goes on\.$/],
    [{ quietSince: at(5) }, /^server3 is healthy again since \d\d:00:05\. It is over when that lasts for 30 s\.$/],
    [over, /^server3 was healthy again, and stayed so\.$/],
    [{ ...over, worst: 'suspect' }, /^The doubt was gone/],
    [
      { end: { how: 'unseen', from: at(5), at: at(90) } },
      /^It was over at some time between .+, while this console did not run\.$/,
    ],
    [{ end: { how: 'left', at: at(5) } }, /^server3 was taken out of the cluster\.$/],
  ])('%#', (fields, sentence) => {
    expect(howItEnded(incident(fields))).toMatch(sentence)
  })
})

describe('its course', () => {
  test('tells in order what the console noticed, what the cluster said, and when nobody watched', () => {
    const lines = courseOf(
      incident({
        steps: [...incident().steps, { at: at(60), standing: 'healthy', symptom: null, message: null }],
        cluster: { atFirst: 'Online', offlineAt: at(21), onlineAt: at(62) },
        gaps: [{ from: at(30), to: at(45) }],
        end: { how: 'recovered', at: at(60) },
      }),
    )
    expect(lines.map(({ headline }) => headline)).toEqual([
      'server3 gave its last answer before that',
      'This console noticed: a question was not answered',
      'Passed over: stuck',
      'The cluster called it Offline',
      'This console did not run',
      'Healthy again',
      'The cluster called it Online again',
    ])
    expect(lines[3]?.text).toBe('21 s after this console noticed.')
    expect(lines[4]?.text).toMatch(/^For 15 s, until \d\d:00:45, nobody watched\.$/)
  })

  test('says what is not known: since when, and what came between', () => {
    const lines = courseOf(incident({ beginning: 'found', lastAnswerAt: null, stepsLeftOut: 7 }))
    expect(lines[0]?.headline).toBe('This console began to watch, and found it so: a question was not answered')
    expect(lines.map(({ headline }) => headline)).toContain('7 changes in between are not kept')
    const unseen = courseOf(incident({ end: { how: 'unseen', from: at(5), at: at(90) } })).at(-1)
    expect(unseen).toMatchObject({ headline: 'It was over', tone: 'unknown' })
  })
})
