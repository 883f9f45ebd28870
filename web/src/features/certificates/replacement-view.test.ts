import type { CertificateCheck, Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import { expect, test } from 'vitest'
import { isPressing, namesIn, verdictWords, whyNotReplace, worstChecksFirst } from './replacement-view.ts'

const at = '2026-11-22T06:12:00.000Z'
const waiting: Replacement['answer'] = { kind: 'waiting' }
const none: Replacement['answer'] = { kind: 'none', at, message: 'no answer' }

test.each<[Replacement['verdict'], Replacement['answer'], string, string, boolean]>([
  [null, waiting, 'Incus is asked.', 'Under way', true],
  [null, none, 'No answer came.', 'Outcome unknown', true],
  ['done', waiting, 'All 3 servers present it.', 'Done', false],
  ['done', waiting, 'The cluster has gone dark.', 'Gone dark', true],
  ['in-part', waiting, 'Only in part.', 'In part', true],
  ['not-done', waiting, 'Incus refused.', 'Not done', false],
])('%s, %j: %s', (verdict, answer, sentence, word, pressing) => {
  const endedAt = verdict === null ? null : at
  expect(verdictWords({ verdict, answer, sentence }).word).toBe(word)
  expect(isPressing({ endedAt, verdict, sentence })).toBe(pressing)
})

const check = (verdict: CertificateCheck['verdict'], text: string): CertificateCheck => ({ id: 'key', verdict, text })
const checks = [check('can', 'a'), check('can-but', 'b'), check('cannot', 'c'), check('can', 'd')]

test('what forbids it is the reason, and stands first', () => {
  expect(whyNotReplace(checks, false)).toBe('c')
  expect(whyNotReplace(checks.slice(0, 2), false)).toBeUndefined()
  expect(whyNotReplace(undefined, false)).toBe('Look at it first.')
  expect(whyNotReplace(checks.slice(0, 2), true)).toBe('It is being sent.')
  expect(worstChecksFirst(checks).map(({ text }) => text)).toEqual(['c', 'b', 'a', 'd'])
})

test('names come one per line or between commas, each once', () => {
  expect(namesIn(' incus.example, 10.0.0.1\nincus.example;\n lb.example ')).toEqual([
    'incus.example',
    '10.0.0.1',
    'lb.example',
  ])
})
