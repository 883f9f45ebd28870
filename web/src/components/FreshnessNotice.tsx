import type { Freshness } from '@malleus/shared/api/freshness.ts'
import { Notice } from '../ui/Notice.tsx'
import { describeOld } from './freshness-words.ts'

/** Above what is not of now: as of when it is, and why. */
export function FreshnessNotice({ what, freshness }: { what: string; freshness: Freshness }) {
  const sentence = describeOld(what, freshness)
  return sentence === undefined ? null : <Notice tone="warning">{sentence}</Notice>
}
