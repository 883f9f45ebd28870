import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { Link } from '@tanstack/react-router'
import { cx } from '../lib/class-names.ts'
import { StateMark, type Shape } from '../ui/StateMark.tsx'
import { useClusterName } from './current.ts'
import { operationDetail, operationTitle, operationTone, startedBy } from './operation-words.ts'
import { Ago, Since } from './Ticking.tsx'

const shapes: Record<Operation['status'], Shape> = {
  pending: 'pending',
  running: 'pending',
  cancelling: 'pending',
  success: 'check',
  failure: 'cross',
  cancelled: 'alert',
  unknown: 'question',
}

/** One operation: what, on which server, by whom, how far, and how it ended. */
export function OperationProgress(props: {
  operation: Operation
  brief?: boolean
  /** Leads to the page of the operation. */
  linked?: boolean
}) {
  const { operation, brief = false, linked = false } = props
  const cluster = useClusterName()
  const finished = isFinished(operation)
  const tone = operationTone(operation)
  const title = operationTitle(operation)
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className={finished || operation.status === 'pending' ? '' : 'motion-safe:animate-spin'}>
        <StateMark tone={tone} shape={shapes[operation.status]} size={14} />
      </span>
      <strong>
        {linked ? (
          <Link
            to="/clusters/$cluster/operations/$operation"
            params={{ cluster, operation: operation.id }}
            className="rounded-sm hover:text-accent-text hover:underline"
          >
            {title}
          </Link>
        ) : (
          title
        )}
      </strong>
      <span className={cx('min-w-0 text-ink-2', brief && 'max-sm:hidden')}>{operationDetail(operation)}</span>
      <span className="ml-auto flex items-center gap-3 text-12 text-ink-3">
        {!finished && operation.percent !== null && (
          <progress
            aria-label={title}
            max={100}
            value={operation.percent}
            className="h-1.5 w-32 appearance-none overflow-hidden rounded-full bg-meter-track [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-meter-track [&::-webkit-progress-value]:bg-accent"
          />
        )}
        <span className={brief ? 'max-sm:hidden' : ''}>{startedBy(operation)}</span>
        {finished ? <Ago at={operation.endedAt ?? operation.heardAt} /> : <Since at={operation.createdAt} />}
      </span>
    </div>
  )
}
