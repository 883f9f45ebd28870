import type { Member } from '@malleus/shared/api/members.ts'
import { Link } from '@tanstack/react-router'
import { useClusterName } from '../../components/current.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { PresentedCertificate } from '../../components/member-columns.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { formatDate } from '../../lib/time.ts'
import { Card, Fact, Facts } from '../../ui/Card.tsx'

/** The certificate of the last handshake. */
export function PresentedCard({ member }: { member: Member }) {
  const cluster = useClusterName()
  const { presented } = member
  return (
    <Card
      title="Certificate presented"
      note={presented && <Ago at={presented.seenAt} />}
      aside={
        <Link
          to="/clusters/$cluster/certificates"
          params={{ cluster }}
          className="text-12 font-strong text-accent-text hover:underline"
        >
          See the chain
        </Link>
      }
    >
      {presented === null ? (
        <p className="px-(--pad-x) py-3 text-ink-3">This console has not made a handshake with it yet.</p>
      ) : (
        <Facts>
          <Fact name="Compared">
            <PresentedCertificate member={member} />
          </Fact>
          <Fact name="Valid until">{formatDate(presented.expiresAt)}</Fact>
          <Fact name="SHA-256">
            <Fingerprint value={presented.fingerprint} />
          </Fact>
        </Facts>
      )}
    </Card>
  )
}
