import type { Member } from '@malleus/shared/api/members.ts'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useCluster, useClusterName } from '../../components/current.ts'
import { differs, explain, headlineOf, stateOf } from '../../components/member-words.ts'
import { fittingAction, StateChangeButton } from '../../components/StateChangeButton.tsx'
import { Ticking } from '../../components/Ticking.tsx'
import { Notice } from '../../ui/Notice.tsx'

// Its contract comes with it, and the first list does not wait for it.
const OpenIncidentLink = lazy(() =>
  import('../../components/OpenIncidentLink.tsx').then((m) => ({ default: m.OpenIncidentLink })),
)

/** What is wrong with one server, in a sentence, with the evidence one click away. */
export function MemberBanner({ member }: { member: Member }) {
  const cluster = useClusterName()
  const threshold = useCluster()?.offlineThresholdSeconds ?? null
  const { tone, shape } = stateOf(member)
  return (
    <Notice
      tone={tone === 'good' && differs(member) ? 'warning' : tone}
      shape={shape}
      headline={`${headlineOf(member)}.`}
      actions={
        <>
          <Suspense fallback={null}>
            <OpenIncidentLink cluster={cluster} member={member.name} />
          </Suspense>
          <Link
            to="/clusters/$cluster/members/$member"
            params={{ cluster, member: member.name }}
            hash="probes"
            className="inline-flex h-8 items-center rounded-[7px] border border-line-strong bg-raised px-3 font-strong text-ink hover:bg-hover"
          >
            See probes
          </Link>
          <StateChangeButton member={member} action={fittingAction(member)} />
        </>
      }
    >
      <Ticking describe={(now) => explain(member, now, threshold)} />
    </Notice>
  )
}
