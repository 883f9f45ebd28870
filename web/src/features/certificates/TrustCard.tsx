import type { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { Chip } from '../../ui/Badge.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { PinsButton } from './PinsButton.tsx'

/** How the console knows that it talks to this cluster and nothing else. */
export function TrustCard({ cluster, trust }: { cluster: string; trust: ClusterCertificate['trust'] }) {
  if (trust.kind === 'ca') {
    return (
      <Card title="How this console recognises the cluster" note="by an authority and a name">
        <Facts>
          <Fact name="Authority">{trust.subject}</Fact>
          <Fact name="Server name">
            <span className="font-mono text-12">{trust.serverName}</span>
          </Fact>
          <Fact name="Valid until">
            {formatDate(trust.expiresAt)}, {formatExpiry(trust.expiresAt, serverNow())}
          </Fact>
        </Facts>
      </Card>
    )
  }
  return (
    <Card
      title="How this console recognises the cluster"
      note="by fingerprint, before a byte is sent"
      aside={<PinsButton cluster={cluster} pins={trust.pins} />}
    >
      <ul className="divide-y divide-line">
        {trust.pins.map(({ fingerprint, position, from }) => (
          <li key={fingerprint} className="flex min-h-(--row) flex-wrap items-center gap-x-3 px-(--pad-x) py-1">
            <Chip>{position === 'current' ? 'current pin' : 'next pin'}</Chip>
            <Fingerprint value={fingerprint} what={`the ${position} pin`} />
            <span className="ml-auto text-12 text-ink-3">{from}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
