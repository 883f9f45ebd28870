import type { CertificateCheck, Replacement, ReplacementRow } from '@malleus/shared/api/certificate-replacement.ts'
import type { Shape, Tone } from '../../ui/StateMark.tsx'

interface Words {
  readonly tone: Tone
  readonly shape: Shape
  readonly word: string
}

export const rowWords: Readonly<Record<ReplacementRow['presents'], Words>> = {
  new: { tone: 'good', shape: 'check', word: 'New' },
  old: { tone: 'unknown', shape: 'pending', word: 'Old' },
  other: { tone: 'bad', shape: 'cross', word: 'Another one' },
  silent: { tone: 'unknown', shape: 'question', word: 'No handshake' },
}

export const checkWords: Readonly<Record<CertificateCheck['verdict'], Words>> = {
  can: { tone: 'good', shape: 'check', word: 'Can' },
  'can-but': { tone: 'warning', shape: 'alert', word: 'Can, but' },
  cannot: { tone: 'bad', shape: 'cross', word: 'Cannot, because' },
}

export const offerWords: Readonly<
  Record<Replacement['offers'][number], { readonly title: string; readonly text: string }>
> = {
  'push-again': {
    title: 'Push it again',
    text: 'The console still has the certificate and its key in memory, and can ask for it once more.',
  },
  'push-old-back': {
    title: 'Push the old one back',
    text: 'The console still has the one before and its key in memory, and can ask for it to be put back.',
  },
}

export function verdictWords({
  verdict,
  answer,
  sentence,
}: Pick<Replacement, 'verdict' | 'answer' | 'sentence'>): Words {
  switch (verdict) {
    case 'done':
      return sentence.includes('gone dark')
        ? { tone: 'bad', shape: 'cross', word: 'Gone dark' }
        : { tone: 'good', shape: 'check', word: 'Done' }
    case 'in-part':
      return { tone: 'bad', shape: 'cross', word: 'In part' }
    case 'not-done':
      return { tone: 'warning', shape: 'alert', word: 'Not done' }
    case null:
      return answer.kind === 'none'
        ? { tone: 'warning', shape: 'question', word: 'Outcome unknown' }
        : { tone: 'info', shape: 'pending', word: 'Under way' }
  }
}

/** Worth a notice: it goes on, or somebody still has to do something about it. */
export function isPressing({
  endedAt,
  verdict,
  sentence,
}: Pick<Replacement, 'endedAt' | 'verdict' | 'sentence'>): boolean {
  return endedAt === null || verdict === 'in-part' || sentence.includes('gone dark')
}

/** Why it cannot be sent now; undefined when it can. */
export function whyNotReplace(checks: readonly CertificateCheck[] | undefined, isPending: boolean): string | undefined {
  if (isPending) return 'It is being sent.'
  if (checks === undefined) return 'Look at it first.'
  return checks.find(({ verdict }) => verdict === 'cannot')?.text
}

/** Worst first, in the order in which they were looked at. */
export function worstChecksFirst(checks: readonly CertificateCheck[]): readonly CertificateCheck[] {
  const order = ['cannot', 'can-but', 'can']
  return checks.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
}

/** One name per line or between commas. */
export function namesIn(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((name) => name !== ''))]
}
