import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ApiError } from '../../api/api-error.ts'
import { operationQuery } from '../../api/kept-operations.ts'
import { operationListQuery } from '../../api/operations.ts'
import { ForRole } from '../../components/ListPage.tsx'
import { MemberLink } from '../../components/MemberLink.tsx'
import { operationDetail, operationName } from '../../components/operation-words.ts'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { CancelButton } from './CancelButton.tsx'
import { OperationBadge } from './OperationBadge.tsx'
import { ProgressBar, Took } from './operation-columns.tsx'
import { stateOf } from './operation-state.ts'
import { resourceOf } from './resource-words.ts'
import { ToldCard } from './ToldCard.tsx'

const route = getRouteApi('/clusters/$cluster/operations/$operation')

export function OperationPage() {
  return (
    <ForRole action="operation.read" title="Operation" what="the operations">
      <OperationInDetail />
    </ForRole>
  )
}

function OperationInDetail() {
  const { cluster, operation: id } = route.useParams()
  const list = useQuery(operationListQuery(cluster)).data
  const read = useQuery(operationQuery(cluster, id))
  const operation = laterOf(
    list?.operations.find((row) => row.id === id),
    read.data?.operation,
  )
  if (operation === undefined) {
    if (read.isError) return <NotThere error={read.error} />
    return (
      <>
        <PageTitle title="Operation" />
        <Card title="How it is">
          <SkeletonRows rows={6} />
        </Card>
      </>
    )
  }
  const freshness = list?.members.find(({ name }) => name === operation.location)?.freshness
  const state = stateOf(operation, freshness)
  return (
    <>
      <PageTitle
        title={
          <span className="flex flex-wrap items-center gap-2.5">
            <span className="wrap-anywhere">{operationName(operation)}</span>
            <OperationBadge state={state} />
          </span>
        }
        actions={<CancelButton operation={operation} />}
      />
      {state.old !== null && (
        <Notice tone="warning">{`${state.old.reason} How it is now is not known; this is the last that was.`}</Notice>
      )}
      {operation.status === 'failure' && (
        <Notice tone="bad" shape="cross" headline="It failed.">
          {operationDetail(operation)}
        </Notice>
      )}
      {operation.status === 'unknown' && (
        <Notice
          tone="unknown"
          shape="question"
          headline={operation.looking ? 'Outcome unknown, looking.' : 'Nobody saw how it ended.'}
        >
          {operationDetail(operation)}
        </Notice>
      )}
      {read.isError && <ProblemNotice error={read.error} />}
      <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.2fr)]">
        <div className="flex min-w-0 flex-col gap-3.5">
          <HowItIs operation={operation} />
          <WorksOn operation={operation} />
          <CommandLine cluster={cluster} operation={operation} />
        </div>
        <ToldCard told={read.data?.told} isPending={read.isPending} heardAt={operation.heardAt} />
      </div>
    </>
  )
}

/** The list is changed by the live stream, the page is read. */
function laterOf(listed: Operation | undefined, read: Operation | undefined): Operation | undefined {
  if (listed === undefined || read === undefined) return listed ?? read
  return Date.parse(listed.heardAt) < Date.parse(read.heardAt) ? read : listed
}

function HowItIs({ operation }: { operation: Operation }) {
  const { location, project, startedBy, createdAt, endedAt, progress, percent } = operation
  const isRunning = !isFinished(operation)
  return (
    <Card title="How it is">
      <Facts>
        {isRunning && (
          <Fact name="Progress">
            {percent === null ? (
              <span className="wrap-anywhere">{operationDetail(operation)}</span>
            ) : (
              <>
                <ProgressBar operation={operation} percent={percent} />
                {progress !== null && <span className="text-ink-2 wrap-anywhere">{progress}</span>}
              </>
            )}
          </Fact>
        )}
        <Fact name="Server">{location === null ? 'not clustered' : <MemberLink name={location} />}</Fact>
        <Fact name="Project">{project ?? <span className="text-ink-3">none, it belongs to the cluster</span>}</Fact>
        <Fact name="Started by">
          {startedBy?.name ?? <span className="text-ink-3">not through this console; Incus does not say by whom</span>}
        </Fact>
        <Fact name="Began">
          <Ago at={createdAt} />
        </Fact>
        {endedAt !== null && (
          <Fact name="Ended">
            <Ago at={endedAt} />
          </Fact>
        )}
        <Fact name={isRunning ? 'Has taken' : 'Took'}>
          <Took operation={operation} />
        </Fact>
        <Fact name="Id">
          <span className="flex items-center gap-1">
            <code className="min-w-0 font-mono text-12 wrap-anywhere">{operation.id}</code>
            <Copy text={operation.id} what="the id" />
          </span>
        </Fact>
      </Facts>
    </Card>
  )
}

function WorksOn({ operation }: { operation: Operation }) {
  const resources = operation.resources.map(resourceOf)
  return (
    <Card title="What it works on">
      {resources.length === 0 ? (
        <p className="px-(--pad-x) py-3 text-ink-3">Incus does not say.</p>
      ) : (
        <ul className="divide-y divide-line">
          {resources.map(({ path, kind, name, project }) => (
            <li key={path} className="flex min-h-(--row) flex-wrap items-center gap-x-2 px-(--pad-x) py-1.5">
              <span className="text-ink-3">{kind}</span>
              {kind === 'server' ? (
                <MemberLink name={name} />
              ) : (
                <span className="font-strong wrap-anywhere">{name}</span>
              )}
              {project !== null && <span className="text-ink-3">in project {project}</span>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

/** The commands that do the same. */
function CommandLine({ cluster, operation }: { cluster: string; operation: Operation }) {
  const commands = [
    { text: `incus operation show ${cluster}:${operation.id}`, what: 'the command that shows it' },
    ...(operation.mayCancel && !isFinished(operation)
      ? [{ text: `incus operation delete ${cluster}:${operation.id}`, what: 'the command that cancels it' }]
      : []),
  ]
  return (
    <Card title="On the command line">
      <ul className="divide-y divide-line">
        {commands.map(({ text, what }) => (
          <li key={text} className="flex min-h-(--row) items-center gap-1 px-(--pad-x) py-1">
            <code className="min-w-0 font-mono text-12 wrap-anywhere text-ink-2">{text}</code>
            <Copy text={text} what={what} />
          </li>
        ))}
      </ul>
      {isFinished(operation) && (
        <p className="border-t border-line px-(--pad-x) py-2 text-12 text-ink-3">
          Incus forgets an operation five seconds after its end; this console keeps what it heard of it for 30 days.
        </p>
      )}
    </Card>
  )
}

function NotThere({ error }: { error: Error }) {
  const { cluster } = route.useParams()
  if (!(error instanceof ApiError) || error.status !== 404) {
    return (
      <>
        <PageTitle title="Operation" />
        <ProblemNotice error={error} />
      </>
    )
  }
  return (
    <>
      <PageTitle title="Operation" />
      <Notice
        tone="info"
        shape="info"
        alert
        headline="There is no such operation, or none that you may see."
        actions={
          <Link to="/clusters/$cluster/operations" params={{ cluster }} className="text-accent-text underline">
            All operations
          </Link>
        }
      >
        Incus forgets an operation five seconds after its end, and this console keeps only what you saw yourself.
      </Notice>
    </>
  )
}
