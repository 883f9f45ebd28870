import { Link } from '@tanstack/react-router'
import { LayoutDashboard, Server, ShieldCheck, type LucideIcon } from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import { clusterListQuery } from '../api/clusters.ts'
import { unwell } from '../components/cluster-words.ts'
import { useClusterName, useMembers } from '../components/current.ts'
import { stateOf } from '../components/member-words.ts'
import { cx } from '../lib/class-names.ts'
import { Logo } from '../ui/Logo.tsx'
import { ClusterSwitcher } from './ClusterSwitcher.tsx'

export function Sidebar() {
  const cluster = useClusterName()
  const alarming = unwell(useMembers()).filter((member) => stateOf(member).tone === 'bad').length
  const clusters = useQuery(clusterListQuery).data?.clusters ?? []
  return (
    <div className="flex h-full flex-col px-2.5 py-3">
      <div className="flex h-8 items-center gap-2.5 px-2">
        <Logo />
        <span className="text-14 font-strong tracking-[-0.01em]">Malleus</span>
      </div>
      <ClusterSwitcher clusters={clusters} current={cluster} />
      <nav aria-label="Pages" className="mt-3 flex flex-col gap-0.5">
        <Entry to="/clusters/$cluster" exact icon={LayoutDashboard} text="Overview" />
        <Group title="Access" />
        <Entry to="/clusters/$cluster/members" icon={Server} text="Servers" alarm={alarming} />
        <Entry to="/clusters/$cluster/certificates" icon={ShieldCheck} text="Certificates" />
      </nav>
    </div>
  )
}

function Group({ title }: { title: string }) {
  return <h2 className="px-2.5 pt-3 pb-1 text-11 font-book text-ink-3">{title}</h2>
}

function Entry(props: {
  to: '/clusters/$cluster' | '/clusters/$cluster/members' | '/clusters/$cluster/certificates'
  exact?: boolean
  icon: LucideIcon
  text: string
  alarm?: number
}) {
  const { to, exact = false, icon: Icon, text, alarm = 0 } = props
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
      {alarm > 0 && (
        <span
          className={cx(
            'ml-auto grid h-[18px] min-w-[18px] place-items-center rounded-full bg-bad px-1 text-11 font-strong text-surface tabular-nums',
          )}
        >
          {alarm}
          <span className="sr-only"> {alarm === 1 ? 'does' : 'do'} not answer</span>
        </span>
      )}
    </Link>
  )
}
