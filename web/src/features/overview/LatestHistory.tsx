import { useQuery } from '@tanstack/react-query'
import { latestAuditQuery } from '../../api/audit.ts'
import { HistoryList } from '../../components/HistoryList.tsx'
import { formatFull } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'

/** Who changed something or was refused lately, and whether the record of it is whole. */
export function LatestHistory({ cluster }: { cluster: string }) {
  const audit = useQuery(latestAuditQuery(cluster))
  const verification = audit.data?.verification
  return (
    <Card
      title="Access history"
      note="latest"
      aside={
        verification && (
          <span title={`${verification.records} records, checked ${formatFull(verification.at)}`}>
            <Badge tone={verification.ok ? 'good' : 'bad'} shape={verification.ok ? 'check' : 'cross'}>
              {verification.ok ? 'Chain verified' : (verification.message ?? 'Chain broken')}
            </Badge>
          </span>
        )
      }
    >
      {audit.data !== undefined ? (
        <HistoryList records={audit.data.records} />
      ) : audit.isError ? (
        <p className="px-(--pad-x) py-3 text-ink-3">{audit.error.message}</p>
      ) : (
        <SkeletonRows rows={4} />
      )}
    </Card>
  )
}
