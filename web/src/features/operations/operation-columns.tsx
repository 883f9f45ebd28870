import { isFinished, type Operation, type OperationMember } from '@malleus/shared/api/operations.ts'
import { Link } from '@tanstack/react-router'
import { useClusterName } from '../../components/current.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { operationDetail, operationName } from '../../components/operation-words.ts'
import { Ago, Since } from '../../components/Ticking.tsx'
import { formatDuration } from '../../lib/time.ts'
import type { LongColumn } from '../../ui/LongTable.tsx'
import { OperationBadge } from './OperationBadge.tsx'
import { stateOf, tookMs } from './operation-state.ts'
import { objectsOf } from './resource-words.ts'

export type OperationColumn =
  | 'what'
  | 'state'
  | 'objects'
  | 'progress'
  | 'location'
  | 'project'
  | 'who'
  | 'began'
  | 'took'
  | 'ended'

/** Servers by name, with how current what is known of their operations is. */
export type Servers = ReadonlyMap<string, OperationMember>

/** Every column there is for operations, by name. Which of them the table has is the person's choice. */
export function operationColumns(servers: Servers): Readonly<Record<OperationColumn, LongColumn<Operation>>> {
  return {
    what: {
      id: 'what',
      title: 'Operation',
      header: true,
      sortable: true,
      cell: (operation) => <OperationLink operation={operation} />,
    },
    state: {
      id: 'state',
      title: 'State',
      sortable: true,
      widthPx: 148,
      cell: (operation) => (
        <OperationBadge state={stateOf(operation, servers.get(operation.location ?? '')?.freshness)} />
      ),
    },
    objects: {
      id: 'objects',
      title: 'On',
      hint: 'What it works on',
      from: 'lg',
      widthPx: 144,
      cell: (operation) => <Text value={objectsOf(operation).join(', ')} />,
    },
    progress: {
      id: 'progress',
      title: 'Progress',
      hint: 'What it does now, or why it failed, in the words of Incus',
      from: 'xl',
      widthPx: 208,
      cell: (operation) => <Progress operation={operation} />,
    },
    location: {
      id: 'location',
      title: 'Server',
      sortable: true,
      from: 'sm',
      widthPx: 104,
      cell: ({ location }) => (location === null ? <Text value="" /> : <MemberLink name={location} />),
    },
    project: {
      id: 'project',
      title: 'Project',
      hint: 'None where it belongs to the cluster',
      sortable: true,
      from: 'xl',
      widthPx: 96,
      cell: ({ project }) => <Text value={project ?? ''} />,
    },
    who: {
      id: 'who',
      title: 'Started by',
      hint: 'Who began it through this console; Incus does not say who began the rest',
      sortable: true,
      from: 'lg',
      widthPx: 112,
      cell: ({ startedBy }) =>
        startedBy === null ? <span className="text-ink-3">elsewhere</span> : <Text value={startedBy.name} />,
    },
    began: {
      id: 'began',
      title: 'Began',
      sortable: true,
      from: 'md',
      widthPx: 104,
      cell: ({ createdAt }) => <Quiet>{<Ago at={createdAt} />}</Quiet>,
    },
    took: {
      id: 'took',
      title: 'Took',
      hint: 'How long it took, or has taken so far',
      align: 'end',
      sortable: true,
      from: 'md',
      widthPx: 80,
      cell: (operation) => <Took operation={operation} />,
    },
    ended: {
      id: 'ended',
      title: 'Ended',
      hint: 'When the console heard that it had ended',
      sortable: true,
      from: 'xl',
      widthPx: 104,
      cell: ({ endedAt }) => (endedAt === null ? <Text value="" /> : <Quiet>{<Ago at={endedAt} />}</Quiet>),
    },
  }
}

function OperationLink({ operation }: { operation: Operation }) {
  const cluster = useClusterName()
  const title = operationName(operation)
  return (
    <Link
      to="/clusters/$cluster/operations/$operation"
      params={{ cluster, operation: operation.id }}
      title={title}
      className="rounded-sm font-strong text-ink hover:text-accent-text hover:underline"
    >
      {title}
    </Link>
  )
}

function Progress({ operation }: { operation: Operation }) {
  if (!isFinished(operation) && operation.percent !== null) {
    return <ProgressBar operation={operation} percent={operation.percent} />
  }
  return <Text value={isFinished(operation) ? operationDetail(operation) : (operation.progress ?? '')} />
}

/** How far it is, where Incus tells. */
export function ProgressBar({ operation, percent }: { operation: Operation; percent: number }) {
  return (
    <span className="flex items-center gap-2" title={operation.progress ?? undefined}>
      <progress
        aria-label={operationName(operation)}
        max={100}
        value={percent}
        className="h-1.5 min-w-10 grow appearance-none overflow-hidden rounded-full bg-meter-track [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-meter-track [&::-webkit-progress-value]:bg-accent"
      />
      <span className="text-12 text-ink-2 tabular-nums">{Math.round(percent)} %</span>
    </span>
  )
}

/** Counts while it runs. */
export function Took({ operation }: { operation: Operation }) {
  if (!isFinished(operation)) return <Since at={operation.createdAt} />
  const ms = tookMs(operation, 0)
  return ms === null ? <Text value="" /> : <span className="text-ink-2">{formatDuration(ms)}</span>
}

function Quiet({ children }: { children: React.ReactNode }) {
  return <span className="text-ink-2">{children}</span>
}

function Text({ value }: { value: string }) {
  if (value === '') return <span className="text-ink-3">–</span>
  return (
    <span className="text-ink-2" title={value}>
      {value}
    </span>
  )
}
