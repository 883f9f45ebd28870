import { Badge } from '../ui/Badge.tsx'
import { formatFull } from '../lib/time.ts'
import { StateMark } from '../ui/StateMark.tsx'
import { Since } from './Ticking.tsx'
import { differs, stateOf, type MemberNow } from './member-words.ts'

export function HealthBadge({ member }: { member: MemberNow }) {
  const { tone, shape, word } = stateOf(member)
  return (
    <Badge tone={tone} shape={shape}>
      {word}
    </Badge>
  )
}

/** The mark alone, where the word stands beside it already. */
export function HealthMark({ member }: { member: MemberNow }) {
  const { tone, shape } = stateOf(member)
  return <StateMark tone={tone} shape={shape} />
}

/** What the cluster says, with ≠ where this console measures otherwise. */
export function ClusterSays({ member }: { member: MemberNow }) {
  const { value, freshness } = member.reported
  if (value === null) {
    return (
      <span className="text-ink-3" title={freshness.kind === 'unavailable' ? freshness.reason : ''}>
        not known
      </span>
    )
  }
  return (
    <span
      title={freshness.kind === 'stale' ? `As of ${formatFull(freshness.asOf)}: ${freshness.reason}` : value.message}
      className={freshness.kind === 'stale' ? 'text-ink-3' : 'text-ink-2'}
    >
      {value.status}
      {differs(member) && (
        <span className="ml-1.5 font-strong text-warning" title="This console measures otherwise">
          <span aria-hidden="true">≠</span>
          <span className="sr-only">, but this console measures otherwise</span>
        </span>
      )}
      {freshness.kind === 'stale' && (
        <span className="ml-1.5 text-11 whitespace-nowrap">
          <Since at={freshness.asOf} />
          <span className="sr-only"> old</span>
        </span>
      )}
    </span>
  )
}
