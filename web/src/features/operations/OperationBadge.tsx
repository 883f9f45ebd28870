import { Since } from '../../components/Ticking.tsx'
import { formatFull } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import type { OperationState } from './operation-state.ts'

/** How it is; where that is only the last known, how old it is. */
export function OperationBadge({ state }: { state: OperationState }) {
  const { tone, shape, word, old } = state
  return (
    <span
      className="inline-flex items-center gap-1.5"
      title={old === null ? undefined : `As of ${formatFull(old.asOf)}. ${old.reason}`}
    >
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
      {old !== null && (
        <span className="text-11 text-ink-3">
          <span className="sr-only">last known, </span>
          <Since at={old.asOf} />
          <span className="sr-only"> old</span>
        </span>
      )}
    </span>
  )
}
