import type { MemberChange } from '@malleus/shared/api/member-health.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { stateOfHealth, type State } from '../../components/member-words.ts'

/** One change of a server as people say it. */
export interface ChangeLine {
  readonly tone: State['tone']
  readonly shape: State['shape']
  readonly headline: string
  /** Why. */
  readonly reason: string | null
}

export function describeChange(change: MemberChange): ChangeLine {
  switch (change.kind) {
    case 'standing': {
      const { tone, shape, word } = stateOfHealth(change.after)
      const now = `${word}${change.after.standing === word.toLowerCase() ? '' : ` (${change.after.standing})`}`
      const headline = change.before === null ? `${now}, when this console began to watch` : now
      return {
        tone,
        shape,
        headline,
        reason: tellsWhy(change.after.standing) ? (change.reason?.message ?? null) : null,
      }
    }
    case 'reported':
      return {
        tone: 'info',
        shape: change.after === 'Evacuated' ? 'leave' : 'info',
        headline:
          change.before === null ? `The cluster calls it ${change.after}` : saysNow(change.before, change.after),
        reason: null,
      }
    case 'certificate':
      return {
        tone: 'info',
        shape: 'key',
        headline:
          change.before === null
            ? `Presents the certificate ${shortPrint(change.after)}`
            : `Presents another certificate: ${shortPrint(change.after)} instead of ${shortPrint(change.before)}`,
        reason: null,
      }
    case 'left':
      return { tone: 'unknown', shape: 'leave', headline: 'No longer a server of the cluster', reason: null }
  }
}

/** Why it failed before is no reason for being well, or on the way to it. */
function tellsWhy(standing: Standing): boolean {
  return standing !== 'healthy' && standing !== 'probation' && standing !== 'unknown'
}

function saysNow(before: string, after: string): string {
  if (after === 'Evacuated') return 'Evacuated'
  if (before === 'Evacuated' && after === 'Online') return 'Restored'
  return `The cluster calls it ${after}, no longer ${before}`
}

function shortPrint(fingerprint: string): string {
  return fingerprint.slice(0, 12)
}
