import type { Member } from '@malleus/shared/api/members.ts'
import { ClusterSays } from '../../components/HealthBadge.tsx'
import { roleNames } from '../../components/member-words.ts'
import { Since } from '../../components/Ticking.tsx'
import { Chip } from '../../ui/Badge.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'

/** What the cluster itself says of the server, in its own words. */
export function ClusterSaysCard({ member }: { member: Member }) {
  const { value, freshness } = member.reported
  if (value === null) {
    return (
      <Card title="What the cluster says">
        <p className="px-(--pad-x) py-3 text-ink-3">
          Not known: {freshness.kind === 'unavailable' ? freshness.reason : 'nobody was asked yet'}
        </p>
      </Card>
    )
  }
  return (
    <Card
      title="What the cluster says"
      note={
        freshness.kind === 'stale' && (
          <>
            <Since at={freshness.asOf} /> old: {freshness.reason}
          </>
        )
      }
    >
      <Facts>
        <Fact name="Status">
          <ClusterSays member={member} />
          {value.message !== '' && <span className="block text-12 text-ink-3">{value.message}</span>}
        </Fact>
        <Fact name="Roles">
          <span className="flex flex-wrap gap-1">
            {roleNames(value.roles).map((role) => (
              <Chip key={role}>{role}</Chip>
            ))}
            {value.roles.length === 0 && (value.database ? 'part of the database' : 'none')}
          </span>
        </Fact>
        <Fact name="Groups">
          <span className="flex flex-wrap gap-1">
            {value.groups.map((group) => (
              <Chip key={group}>@{group}</Chip>
            ))}
          </span>
        </Fact>
        <Fact name="Failure domain">{value.failureDomain || '–'}</Fact>
        <Fact name="Architecture">{value.architecture || '–'}</Fact>
        {value.description !== '' && <Fact name="Description">{value.description}</Fact>}
      </Facts>
    </Card>
  )
}
