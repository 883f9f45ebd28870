import type { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { certificateTone } from '../../components/cluster-words.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { serverNow } from '../../lib/clock.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { describeValidity } from './certificate-view.ts'
import { downloadPem } from './download-pem.ts'

/** The certificate with which the console itself is known to the cluster. */
export function IdentityCard(props: { cluster: string; identity: ClusterCertificate['identity'] }) {
  const { cluster, identity } = props
  if (identity === null) {
    return (
      <Card title="This console's own identity">
        <p className="px-(--pad-x) py-3 text-ink-3">
          The console has none in this cluster. It measures what can be measured from outside; load, memory, events and
          the request log need one.
        </p>
      </Card>
    )
  }
  const { certificate, unrestricted } = identity
  const now = serverNow()
  const tone = certificateTone(certificate.expiresAt, now)
  return (
    <Card
      title="This console's own identity"
      note={
        <Badge tone={tone} shape={tone === 'good' ? 'check' : 'alert'}>
          {describeValidity(certificate, now)}
        </Badge>
      }
      aside={
        <Button size="small" onPress={() => downloadPem(`malleus-${cluster}.crt`, certificate.pem)}>
          PEM
        </Button>
      }
    >
      <Facts>
        <Fact name="Subject">
          <span className="font-mono text-12">{certificate.subject}</span>
        </Fact>
        <Fact name="May do">
          {unrestricted ? 'Everything in the cluster: it is unrestricted.' : 'What its projects allow.'}
        </Fact>
        <Fact name="SHA-256">
          <Fingerprint value={certificate.fingerprint} />
        </Fact>
      </Facts>
    </Card>
  )
}
