import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { clusterListQuery, figuresQuery } from '../../api/clusters.ts'
import { healthHistoryQuery, memberListQuery } from '../../api/members.ts'
import { clusterTroubles, describeCluster, unwell } from '../../components/cluster-words.ts'
import { useMay } from '../../components/current.ts'
import { missingOf } from '../../components/database-words.ts'
import { byName } from '../../lib/by-name.ts'
import { stripOf } from '../../components/health-strip-words.ts'
import { memberColumns } from '../../components/member-columns.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { serverNow } from '../../lib/clock.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Card } from '../../ui/Card.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { Table } from '../../ui/Table.tsx'
import { Figures } from './Figures.tsx'
import { MemberBanner } from './MemberBanner.tsx'

const route = getRouteApi('/clusters/$cluster/')
// Its contract is large, and the first list does not wait for it.
const LatestHistory = lazy(() => import('./LatestHistory.tsx').then((m) => ({ default: m.LatestHistory })))
const { server, address, health, reported, roles, answer, load, memory, instances, history, actions } = memberColumns
const columns = [server, address, health, reported, roles, answer, load, memory, instances, history, actions]
/** More than this would push the rest of the page away; the table has them all. */
const mostBanners = 3

export function OverviewPage() {
  const { cluster: name } = route.useParams()
  const { may } = useMay('member.list')
  const { may: mayHistory } = useMay('audit.read')
  const clusters = useQuery(clusterListQuery)
  const cluster = clusters.data?.clusters.find((row) => row.name === name)
  const list = useQuery(memberListQuery(name))
  const figures = useQuery(figuresQuery(name))
  const past = useQuery(healthHistoryQuery(name)).data

  const members = list.data?.members.toSorted((a, b) => byName(a.name, b.name)) ?? []
  const rows = members.map((member) => ({ member, history: stripOf(past, member.name) }))
  // Who is missing from the database is told with it.
  const lost = cluster?.database.kind === 'lost' ? missingOf(cluster.database).map((holder) => holder.name) : []
  const alarming = unwell(members).filter((member) => !lost.includes(member.name))
  const state = cluster && describeCluster(cluster, members)

  return (
    <>
      <PageTitle title={state?.headline ?? name} sentence={state?.text} />
      {list.isError && <ProblemNotice error={list.error} />}
      {cluster &&
        clusterTroubles(cluster, serverNow()).map((trouble) => (
          <Notice key={trouble.headline} tone={trouble.tone} headline={`${trouble.headline}.`}>
            {trouble.text}
          </Notice>
        ))}
      {alarming.slice(0, mostBanners).map((member) => (
        <Boundary key={member.name} title={member.name}>
          <MemberBanner member={member} />
        </Boundary>
      ))}
      {alarming.length > mostBanners && (
        <p className="px-1">
          <Link
            to="/clusters/$cluster/members"
            params={{ cluster: name }}
            search={{ show: 'attention', sort: 'health' }}
            className="font-strong text-accent-text hover:underline"
          >
            {alarming.length - mostBanners} more {alarming.length - mostBanners === 1 ? 'server needs' : 'servers need'}{' '}
            attention
          </Link>
        </p>
      )}
      <Boundary title="Figures">
        <Figures cluster={cluster} members={members} figures={figures.data} may={may} />
      </Boundary>
      {!may && <RoleNotice what="the servers" alert={false} />}
      {may && (list.data !== undefined || !list.isError) && (
        <Boundary title="Servers">
          <Card title="Servers" note="what this console measures, beside what the cluster says">
            {list.data === undefined ? (
              <SkeletonRows rows={5} />
            ) : (
              <Table
                label="Servers"
                columns={columns}
                rows={rows}
                keyOf={({ member }) => member.name}
                empty={
                  <p className="px-(--pad-x) py-6 text-center text-ink-3">No server of this cluster is known yet.</p>
                }
              />
            )}
          </Card>
        </Boundary>
      )}
      {mayHistory && (
        <Boundary title="Access history">
          <Suspense
            fallback={
              <Card title="Access history" note="latest">
                <SkeletonRows rows={4} />
              </Card>
            }
          >
            <LatestHistory cluster={name} />
          </Suspense>
        </Boundary>
      )}
    </>
  )
}
