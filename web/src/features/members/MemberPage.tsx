import type { Member } from '@malleus/shared/api/members.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { latestAuditQuery } from '../../api/audit.ts'
import { healthHistoryQuery, memberListQuery, memberQuery } from '../../api/members.ts'
import { operationListQuery } from '../../api/operations.ts'
import { useMay, useTarget } from '../../components/current.ts'
import { HistoryList } from '../../components/HistoryList.tsx'
import { IncidentList } from '../../components/IncidentList.tsx'
import { memberOf } from '../../components/operation-words.ts'
import { OperationProgress } from '../../components/OperationProgress.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { Boundary } from '../../ui/Boundary.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { ClusterSaysCard } from './ClusterSaysCard.tsx'
import { HealthCard } from './HealthCard.tsx'
import { MachineCard } from './MachineCard.tsx'
import { MemberHeader } from './MemberHeader.tsx'
import { NotThere } from './NotThere.tsx'
import { PresentedCard } from './PresentedCard.tsx'
import { ProbesCard } from './ProbesCard.tsx'

const route = getRouteApi('/clusters/$cluster/members/$member')

export function MemberPage() {
  const { member: name } = route.useParams()
  const { may } = useMay('member.read')
  if (may) return <MemberInDetail />
  return (
    <>
      <PageTitle title={name} />
      <RoleNotice what="the servers" />
    </>
  )
}

function MemberInDetail() {
  const { cluster, member: name } = route.useParams()
  const list = useQuery(memberListQuery(cluster))
  const read = useQuery(memberQuery(cluster, name, useTarget()))
  const history = useQuery(healthHistoryQuery(cluster)).data

  const listed = list.data?.members.find((row) => row.name === name)
  const detail = read.data?.member
  // Health is newest in the list, which the stream changes; the rest is newest in the detail.
  const member: Member | undefined =
    detail === undefined ? listed : { ...detail, health: listed?.health ?? detail.health }

  if (member === undefined) {
    if (list.data !== undefined && !read.isPending) return <NotThere cluster={cluster} name={name} error={read.error} />
    return (
      <>
        <PageTitle title={name} />
        {list.isError && <ProblemNotice error={list.error} />}
        {!list.isError && (
          <Card title="Health">
            <SkeletonRows rows={6} />
          </Card>
        )}
      </>
    )
  }
  return (
    <>
      <MemberHeader cluster={cluster} member={member} />
      {read.isError && <ProblemNotice error={read.error} />}
      <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-3.5">
          <Boundary title="Health">
            <HealthCard member={member} history={history} />
          </Boundary>
          {(detail !== undefined || !read.isError) && (
            <Boundary title="Probes">
              <ProbesCard probes={detail?.probes} />
            </Boundary>
          )}
          <Boundary title="Operations">
            <RunningOperations cluster={cluster} name={name} />
          </Boundary>
          <Boundary title="Incidents">
            <IncidentList cluster={cluster} member={name} />
          </Boundary>
          <Boundary title="Access history">
            <RecentHistory cluster={cluster} name={name} />
          </Boundary>
        </div>
        <div className="flex min-w-0 flex-col gap-3.5">
          <Boundary title="What the cluster says">
            <ClusterSaysCard member={member} />
          </Boundary>
          <Boundary title="Machine">
            <MachineCard member={member} detail={detail} />
          </Boundary>
          <Boundary title="Certificate presented">
            <PresentedCard member={member} />
          </Boundary>
        </div>
      </div>
    </>
  )
}

function RunningOperations({ cluster, name }: { cluster: string; name: string }) {
  const operations = useQuery(operationListQuery(cluster)).data?.operations ?? []
  const here = operations.filter((operation) => memberOf(operation) === name || operation.location === name)
  const running = here.filter((operation) => !isFinished(operation))
  return (
    <Card title="Operations" note="what runs on it, or is done to it">
      {running.length === 0 ? (
        <p className="px-(--pad-x) py-3 text-ink-3">Nothing runs on it now.</p>
      ) : (
        <ul className="divide-y divide-line">
          {running.map((operation) => (
            <li key={operation.id} className="px-(--pad-x) py-2">
              <OperationProgress operation={operation} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function RecentHistory({ cluster, name }: { cluster: string; name: string }) {
  const audit = useQuery(latestAuditQuery(cluster, name))
  const { may } = useMay('audit.read')
  if (!may) return null
  return (
    <Card title="Access history" note="latest on this server">
      {audit.data !== undefined ? (
        <HistoryList records={audit.data.records} />
      ) : audit.isError ? (
        <p className="px-(--pad-x) py-3 text-ink-3">{audit.error.message}</p>
      ) : (
        <SkeletonRows rows={3} />
      )}
    </Card>
  )
}
