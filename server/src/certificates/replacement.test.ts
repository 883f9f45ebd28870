import { Replacement } from '@malleus/shared/api/certificate-replacement.ts'
import { describe, expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { instant } from '../lib/clock.ts'
import type { KeptReplacement, MemberShows, ReplacementAnswer } from './replacement.ts'
import { answerReplacement, beginReplacement, lookAtReplacement, replacementView, sentenceOf } from './replacement.ts'

const start = Date.UTC(2026, 10, 22)
const [fresh, old, other] = ['aa', 'bb', 'cc']
const { certificate } = selfSigned({ commonName: 'new', names: ['incus.example'] })
const minute = 60_000

/** What three servers show, in letters: new, old, other, and silent with what was seen before. */
function shows(letters: string, seenAt: number): MemberShows[] {
  const fingerprints: Readonly<Record<string, string>> = { n: fresh, o: old, x: other, s: old }
  return letters.split('').map((letter, at) => ({
    member: `server${at + 1}`,
    answers: letter !== 's',
    fingerprint: fingerprints[letter] ?? null,
    seenAt,
    why: letter === 's' ? 'No TLS handshake.' : null,
  }))
}

function begun(letters = 'ooo'): KeptReplacement {
  const asked = { id: 'r', by: 'Jo', requestId: 'q', fingerprint: fresh, pem: certificate }
  return beginReplacement({ ...asked, before: { fingerprint: old, pem: certificate } }, shows(letters, start), start)
}

function answered(kind: 'taken' | 'refused' | 'none', at = start): ReplacementAnswer {
  if (kind === 'taken') return { kind, at: instant(at), via: 'server1' }
  return { kind, at: instant(at), message: 'it said no' }
}

/** The replacement after an answer, looked at so long after it. */
function after(kind: 'taken' | 'refused' | 'none', letters: string, afterMs: number): KeptReplacement {
  const now = start + afterMs
  return lookAtReplacement(answerReplacement(begun(), answered(kind)), shows(letters, now), now)
}

describe('the verdict', () => {
  test.each<['taken' | 'refused' | 'none', string, number, KeptReplacement['verdict']]>([
    // Incus says that it did it.
    ['taken', 'nnn', 40, 'done'],
    ['taken', 'nno', 40, null],
    ['taken', 'ooo', 14_000, null],
    ['taken', 'nno', 15_000, 'in-part'],
    ['taken', 'nns', 15_000, 'in-part'],
    ['taken', 'nnx', 15_000, 'in-part'],
    ['taken', 'ooo', 15_000, 'not-done'],
    // Incus says that it did not.
    ['refused', 'ooo', 2_000, null],
    ['refused', 'ooo', 3_000, 'not-done'],
    ['refused', 'oos', 3_000, 'not-done'],
    ['refused', 'noo', 3_000, 'in-part'],
    ['refused', 'nnn', 40, 'done'],
    // Nobody knows what Incus did.
    ['none', 'nnn', 40, 'done'],
    ['none', 'ooo', 59_000, null],
    ['none', 'ooo', 60_000, 'not-done'],
    ['none', 'noo', 60_000, 'in-part'],
    ['none', 'oos', 29 * minute, null],
    ['none', 'oos', 30 * minute, 'not-done'],
    ['none', 'nns', 30 * minute, 'in-part'],
  ])('answered "%s", servers present %s after %i ms: %s', (kind, letters, afterMs, verdict) => {
    expect(after(kind, letters, afterMs).verdict).toBe(verdict)
  })

  test('is not there while Incus has not answered, whatever is presented', () => {
    expect(lookAtReplacement(begun(), shows('nnn', start), start + 60 * minute).verdict).toBeNull()
  })

  test('waits for a handshake that is newer than the answer', () => {
    const refused = answerReplacement(begun(), answered('refused', start + 10_000))
    const looked = lookAtReplacement(refused, shows('ooo', start + 9_000), start + 14_000)
    expect(looked.verdict).toBeNull()
    expect(lookAtReplacement(looked, shows('ooo', start + 14_500), start + 15_000).verdict).toBe('not-done')
  })

  test('stays what it is', () => {
    const done = after('taken', 'nnn', 40)
    expect(lookAtReplacement(done, shows('ooo', start + minute), start + minute)).toBe(done)
    expect(answerReplacement(done, answered('none'))).toBe(done)
  })

  test('comes late when a stopped server goes on and all move', () => {
    const waiting = after('none', 'oos', 5 * minute)
    expect(waiting.verdict).toBeNull()
    expect(lookAtReplacement(waiting, shows('nnn', start + 6 * minute), start + 6 * minute).verdict).toBe('done')
  })
})

describe('a row', () => {
  test('keeps when its server moved', () => {
    const first = lookAtReplacement(begun(), shows('noo', start + 20), start + 20)
    const later = lookAtReplacement(first, shows('nno', start + 50), start + 50)
    expect(later.rows.map(({ presents, adoptedAt }) => [presents, adoptedAt])).toEqual([
      ['new', instant(start + 20)],
      ['new', instant(start + 50)],
      ['old', null],
    ])
  })

  test('of a server that is silent says why, and nothing of what it has', () => {
    expect(begun('oos').rows[2]).toMatchObject({ presents: 'silent', fingerprint: old, note: 'No TLS handshake.' })
  })
})

test.each<[KeptReplacement, boolean, RegExp]>([
  [begun(), false, /^Incus is asked; 0 of 3 servers present it\.$/],
  [after('taken', 'nno', 40), false, /^Incus has taken it; 2 of 3/],
  [after('taken', 'nnn', 40), false, /^All 3 servers present the new certificate\.$/],
  [after('taken', 'nnn', 40), true, /the cluster has gone dark\.$/],
  [
    after('taken', 'nno', minute),
    false,
    /^Only in part: server1 and server2 present the new certificate, server3 the one before\.$/,
  ],
  [after('taken', 'nxs', minute), false, /server1 presents .*, server2 another one, of server3 it is not known\.$/],
  [after('refused', 'ooo', minute), false, /^Incus refused: it said no\. No server presents the new certificate\.$/],
  [after('refused', 'oos', minute), false, /Of server3 it is not known: no handshake\.$/],
  [after('refused', 'ooo', 10), false, /^Incus refused: it said no\. Looking/],
  [after('none', 'oos', 10), false, /^No answer came, .* It may go on when server3 answers again\.$/],
  [after('none', 'ooo', minute), false, /^It was not done\. No server/],
])('in words', (replacement, dark, sentence) => {
  expect(sentenceOf(replacement, dark)).toMatch(sentence)
})

describe('how to repair it', () => {
  test.each<[string, KeptReplacement, boolean, string[]]>([
    ['nothing, when all went well', after('taken', 'nnn', 40), false, []],
    ['nothing, when nothing was done', after('refused', 'ooo', minute), false, []],
    ['those that were left behind', after('taken', 'nos', minute), false, ['server2', 'server3']],
    ['all of them, when the cluster is dark', after('taken', 'nnn', 40), true, ['server1', 'server2', 'server3']],
  ])('%s', (_, replacement, dark, members) => {
    const { repair } = Replacement.parse(replacementView(replacement, { offers: [], dark }))
    expect(repair.flatMap((each) => each.members)).toEqual(members)
    expect(repair.every(({ command }) => command.includes('incus-cluster-notifier'))).toBe(true)
  })
})
