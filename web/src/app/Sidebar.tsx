import { Link } from '@tanstack/react-router'
import {
  Activity,
  Box,
  KeyRound,
  LayoutDashboard,
  Radio,
  ScrollText,
  Server,
  ShieldCheck,
  Siren,
  Waypoints,
  type LucideIcon,
} from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isFinished } from '@malleus/shared/api/operations.ts'
import { clusterListQuery } from '../api/clusters.ts'
import { operationListQuery } from '../api/operations.ts'
import { useClusterName, useMay, useMembers } from '../components/current.ts'
import { isUsable } from '../components/member-words.ts'
import { cx } from '../lib/class-names.ts'
import { countFindings } from './count-findings.ts'
import { Logo } from '../ui/Logo.tsx'
import { ClusterSwitcher } from './ClusterSwitcher.tsx'

export function Sidebar() {
  const cluster = useClusterName()
  const silent = useMembers().filter((member) => member.notContacted === null && !isUsable(member)).length
  const { may } = useMay('certificate.read')
  const instances = useInstanceCount()
  const operations = useQuery(operationListQuery(cluster)).data?.operations ?? []
  const running = operations.filter((operation) => !isFinished(operation)).length
  const clusters = useQuery(clusterListQuery).data?.clusters ?? []
  const findings = countFindings((may && clusters.find(({ name }) => name === cluster)?.findings) || [])
  return (
    <div className="flex h-full flex-col px-2.5 py-3">
      <div className="flex h-8 items-center gap-2.5 px-2">
        <Logo />
        <span className="text-14 font-strong tracking-[-0.01em]">Malleus</span>
      </div>
      <ClusterSwitcher clusters={clusters} current={cluster} />
      <nav aria-label="Pages" className="mt-3 flex flex-col gap-0.5">
        <Entry to="/clusters/$cluster" exact icon={LayoutDashboard} text="Overview" />
        <Entry to="/clusters/$cluster/incidents" icon={Siren} text="Incidents" />
        <Group title="Access" />
        <Entry to="/clusters/$cluster/members" icon={Server} text="Servers">
          {silent > 0 && <Count tone="bad" count={silent} words="cannot be used now" />}
        </Entry>
        <Entry to="/clusters/$cluster/access-paths" icon={Waypoints} text="Access paths" />
        <Entry to="/clusters/$cluster/certificates" icon={ShieldCheck} text="Certificates">
          {findings.count > 0 && <Count {...findings} words={findings.count === 1 ? 'finding' : 'findings'} />}
        </Entry>
        <Entry to="/clusters/$cluster/trust" icon={KeyRound} text="Trust" />
        <Group title="Audit" />
        <Entry to="/clusters/$cluster/history" icon={ScrollText} text="Access history" />
        <Entry to="/clusters/$cluster/events" icon={Radio} text="Events" />
        <Group title="Workloads" />
        <Entry to="/clusters/$cluster/instances" icon={Box} text="Instances">
          {instances !== null && <span className="ml-auto text-12 text-ink-3 tabular-nums">{instances}</span>}
        </Entry>
        <hr className="mx-2.5 my-2 border-line" />
        <Entry to="/clusters/$cluster/operations" icon={Activity} text="Operations">
          {running > 0 && (
            <span className="ml-auto text-12 text-ink-3 tabular-nums" title={`${running} running`}>
              {running}
              <span className="sr-only"> running</span>
            </span>
          )}
        </Entry>
      </nav>
    </div>
  )
}

/** As many as the servers are known to have; null where some of them are not known. */
function useInstanceCount(): number | null {
  const counts = useMembers().map(({ instances }) => instances.value?.count ?? null)
  return counts.length === 0 || counts.includes(null)
    ? null
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

function Group({ title }: { title: string }) {
  return <h2 className="px-2.5 pt-3 pb-1 text-11 font-book text-ink-3">{title}</h2>
}

function Entry(props: {
  to:
    | '/clusters/$cluster'
    | '/clusters/$cluster/members'
    | '/clusters/$cluster/access-paths'
    | '/clusters/$cluster/certificates'
    | '/clusters/$cluster/trust'
    | '/clusters/$cluster/incidents'
    | '/clusters/$cluster/instances'
    | '/clusters/$cluster/operations'
    | '/clusters/$cluster/events'
    | '/clusters/$cluster/history'
  exact?: boolean
  icon: LucideIcon
  text: string
  children?: ReactNode
}) {
  const { to, exact = false, icon: Icon, text, children } = props
  const cluster = useClusterName()
  return (
    <Link
      to={to}
      params={{ cluster }}
      activeOptions={{ exact, includeSearch: false }}
      className="flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-ink-2 hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:font-strong data-[status=active]:text-accent-text"
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
      {text}
      {children}
    </Link>
  )
}

function Count({ count, tone, words }: { count: number; tone: 'bad' | 'warning'; words: string }) {
  return (
    <span
      title={`${count} ${words}`}
      className={cx(
        'ml-auto grid h-[18px] min-w-[18px] place-items-center rounded-full px-1 text-11 font-strong tabular-nums',
        tone === 'bad' ? 'bg-bad text-surface' : 'bg-warning-soft text-warning',
      )}
    >
      {count}
      <span className="sr-only"> {words}</span>
    </span>
  )
}
