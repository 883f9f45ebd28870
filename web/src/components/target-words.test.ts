import type { Member } from '@malleus/shared/api/members.ts'
import { expect, test } from 'vitest'
import { parseTarget } from '@malleus/shared/domain/target.ts'
import { targetFacts, targetLabel, targetTone, targetTrouble } from './target-words.ts'

const now = Date.parse('2026-11-22T06:12:00.000Z')
const asOf = new Date(now).toISOString()
const fresh = { kind: 'fresh', asOf } as const
const missing = { value: null, freshness: { kind: 'unavailable', reason: 'not asked' } } as const

function server(name: string, change: Partial<Member> = {}): Member {
  return {
    name,
    address: 'a:8443',
    notContacted: null,
    reported: missing,
    presented: null,
    load: { value: { average1: 2.88, average5: 1, average15: 1, cores: 16 }, freshness: fresh },
    memory: { value: { usedBytes: 41, totalBytes: 100 }, freshness: fresh },
    instances: { value: { count: 61 }, freshness: fresh },
    health: { standing: 'healthy', symptom: null, since: asOf, answerMs: 4, answeredAt: asOf, failure: null },
    ...change,
  }
}
const stuck = server('server3', {
  health: {
    standing: 'ejected',
    symptom: 'stuck',
    since: asOf,
    answerMs: null,
    answeredAt: new Date(now - 41_000).toISOString(),
    failure: null,
  },
})
const members = [server('server1'), server('server2'), stuck]
const groups = [
  { name: 'edge', members: ['server2', 'server3'] },
  { name: 'data', members: ['server3'] },
  { name: 'empty', members: [] },
]

test.each<[string | undefined, string, string | undefined]>([
  [undefined, 'Any responsive server', undefined],
  ['server1', 'server1', undefined],
  ['server3', 'server3', 'server3 is stuck'],
  ['server9', 'server9', 'There is no server server9 in this cluster'],
  ['@edge', '@edge', undefined],
  ['@data', '@data', 'No server of @data answers'],
  ['@empty', '@empty', 'The group @empty has no servers'],
  ['@gone', '@gone', 'There is no group @gone in this cluster'],
])('target %s', (text, label, trouble) => {
  expect(targetLabel(parseTarget(text))).toBe(label)
  expect(targetTrouble(parseTarget(text), members, groups)).toBe(trouble)
})

test('while the list of servers is not there, nothing is claimed of the target', () => {
  expect(targetTrouble(parseTarget('server3'), [], [])).toBeUndefined()
})

test('a line of the picker has what is known, or why not', () => {
  expect(targetFacts(server('a'), now)).toBe('0.18 load/core · 41% mem · 61 inst.')
  expect(targetFacts(server('a', { load: missing, memory: missing, instances: missing }), now)).toBe('')
  expect(targetFacts(stuck, now)).toBe('stuck 41 s')
})

test.each<[string, string | undefined, readonly Member[] | undefined, string]>([
  ['the servers are not known yet', undefined, undefined, 'unknown'],
  ['some server answers', undefined, members, 'good'],
  ['none answers', undefined, [stuck], 'bad'],
  ['the chosen one answers', 'server1', members, 'good'],
  ['the chosen one does not', 'server3', members, 'bad'],
])('the mark of the target when %s', (_, text, known, tone) => {
  expect(targetTone(parseTarget(text), known, groups)).toBe(tone)
})
