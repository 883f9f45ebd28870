import type { Member } from '@malleus/shared/api/members.ts'
import { Link } from '@tanstack/react-router'
import { HealthBadge } from '../../components/HealthBadge.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { StateChangeButton } from '../../components/StateChangeButton.tsx'

const tab =
  '-mb-px border-b-2 border-transparent px-1 pb-2 text-ink-2 hover:text-ink data-[status=active]:border-accent data-[status=active]:font-strong data-[status=active]:text-ink'

/** Which server it is, how it is, what can be done with it, and its pages. */
export function MemberHeader({ cluster, member }: { cluster: string; member: Member }) {
  const params = { cluster, member: member.name }
  return (
    <>
      <PageTitle
        title={
          <span className="flex flex-wrap items-center gap-2.5">
            <span className="wrap-anywhere">{member.name}</span>
            <HealthBadge member={member} />
          </span>
        }
        sentence={<span className="font-mono text-12 text-ink-3">{member.address}</span>}
        actions={
          <span className="flex gap-2">
            <StateChangeButton member={member} action="evacuate" />
            <StateChangeButton member={member} action="restore" />
          </span>
        }
      />
      <nav aria-label={member.name} className="flex gap-4 border-b border-line">
        <Link
          to="/clusters/$cluster/members/$member"
          params={params}
          activeOptions={{ exact: true, includeSearch: false }}
          className={tab}
        >
          Now
        </Link>
        <Link
          to="/clusters/$cluster/members/$member/health"
          params={params}
          activeOptions={{ exact: true, includeSearch: false }}
          className={tab}
        >
          Health
        </Link>
      </nav>
    </>
  )
}
