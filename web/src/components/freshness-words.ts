import type { Freshness } from '@malleus/shared/api/freshness.ts'
import { formatClock } from '../lib/time.ts'

/** "Whom the cluster trusts is as of 14:03:05: the cluster did not answer."; nothing where it is of now. */
export function describeOld(what: string, freshness: Freshness): string | undefined {
  if (freshness.kind === 'fresh') return undefined
  const because = lowerFirst(freshness.reason)
  if (freshness.kind === 'unavailable') return `${what} is not known: ${because}`
  return `${what} is as of ${formatClock(freshness.asOf)}: ${because}`
}

/** For the middle of a sentence. Names of servers stay as they are. */
export function lowerFirst(sentence: string): string {
  return sentence.replace(/^(The|It|No|A) /, (word) => word.toLowerCase())
}
