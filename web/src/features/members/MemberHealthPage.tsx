import { healthRanges, type MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { memberHealthQuery } from '../../api/member-health.ts'
import { memberListQuery } from '../../api/members.ts'
import { ForRole } from '../../components/ListPage.tsx'
import { IncidentList } from '../../components/IncidentList.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { cx } from '../../lib/class-names.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { lastText, rangeNames } from './health-chart.ts'
import { HealthCharts } from './HealthCharts.tsx'
import { ChangesList, FailuresSentence, PercentilesTable, PiecesTable } from './HealthTables.tsx'
import { MemberHeader } from './MemberHeader.tsx'
import { NotThere } from './NotThere.tsx'

const route = getRouteApi('/clusters/$cluster/members/$member/health')

export function MemberHealthPage() {
  const { member } = route.useParams()
  return (
    <ForRole action="member.read" title={member} what="the servers">
      <Health />
    </ForRole>
  )
}

function Health() {
  const { cluster, member: name } = route.useParams()
  const { range = '24h' } = route.useSearch()
  const list = useQuery(memberListQuery(cluster))
  const health = useQuery(memberHealthQuery(cluster, name, range))
  const member = list.data?.members.find((row) => row.name === name)
  const record = health.data?.record

  if (member === undefined && list.data !== undefined) return <NotThere cluster={cluster} name={name} error={null} />
  return (
    <>
      {member === undefined ? <PageTitle title={name} /> : <MemberHeader cluster={cluster} member={member} />}
      {health.isError && <ProblemNotice error={health.error} />}
      <Boundary title="Probes">
        <Card title="Probes" note={`${lastText(range)}, as this console measured`} aside={<Ranges />}>
          {record === undefined ? <SkeletonRows rows={12} /> : <HealthCharts record={record} />}
        </Card>
      </Boundary>
      {record !== undefined && <Evidence record={record} />}
      <Boundary title="Incidents">
        <IncidentList cluster={cluster} member={name} />
      </Boundary>
    </>
  )
}

function Evidence({ record }: { record: MemberHealthRecord }) {
  const [table, setTable] = useState(false)
  return (
    <>
      <Card title="Answer times" note={<FailuresSentence record={record} />}>
        <PercentilesTable record={record} />
        <div className="border-t border-line px-2 py-1">
          <Button tone="quiet" size="small" expanded={table} onPress={() => setTable(!table)}>
            {table ? 'Hide the measurements' : 'Show the measurements as a table'}
          </Button>
        </div>
        {table && (
          <div className="max-h-[420px] overflow-y-auto border-t border-line">
            <PiecesTable record={record} />
          </div>
        )}
      </Card>
      <Boundary title="Changes">
        <Card title="Changes" note="what this console believed and the cluster said, newest first">
          <ChangesList record={record} />
        </Card>
      </Boundary>
    </>
  )
}

function Ranges() {
  const { cluster, member } = route.useParams()
  const { range = '24h' } = route.useSearch()
  return (
    <nav aria-label="Range" className="flex rounded-[7px] border border-line-strong p-0.5">
      {healthRanges.map((each) => (
        <Link
          key={each}
          to="/clusters/$cluster/members/$member/health"
          params={{ cluster, member }}
          search={(before) => ({ ...before, range: each === '24h' ? undefined : each })}
          replace
          resetScroll={false}
          activeOptions={{ exact: true }}
          aria-current={each === range ? 'page' : undefined}
          className={cx(
            'rounded-[5px] px-2 py-0.5 text-12',
            each === range ? 'bg-accent-soft font-strong text-accent-text' : 'text-ink-2 hover:bg-hover',
          )}
        >
          {rangeNames[each]}
        </Link>
      ))}
    </nav>
  )
}
