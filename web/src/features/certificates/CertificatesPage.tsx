import type { Certificate, ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { certificateQuery } from '../../api/certificate.ts'
import { replacementQuery } from '../../api/certificate-replacement.ts'
import { certificateTone } from '../../components/cluster-words.ts'
import { useMay, useTarget } from '../../components/current.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { describePresented, describeValidity, worstFirst } from './certificate-view.ts'
import { downloadPem } from './download-pem.ts'
import { AcmeCard } from './AcmeCard.tsx'
import { IdentityCard } from './IdentityCard.tsx'
import { LifeLine } from './LifeLine.tsx'
import { PresentedBy } from './PresentedBy.tsx'
import { ReplacementNotice } from './ReplacementCard.tsx'
import { isPressing } from './replacement-view.ts'
import { TrustCard } from './TrustCard.tsx'

const route = getRouteApi('/clusters/$cluster/certificates')
const findingShapes = { info: 'info', warning: 'alert', bad: 'cross' } as const

export function CertificatesPage() {
  const { may } = useMay('certificate.read')
  return may ? <Certificates /> : <Hidden />
}

function Hidden() {
  return (
    <>
      <PageTitle title="Certificates" />
      <RoleNotice what="the certificates" />
    </>
  )
}

function Certificates() {
  const { cluster } = route.useParams()
  const read = useQuery(certificateQuery(cluster, useTarget()))
  const data = read.data
  const latest = useQuery(replacementQuery(cluster)).data?.latest ?? null
  return (
    <>
      <PageTitle
        title="Certificates"
        sentence={data && describePresented(data)}
        actions={<ReplaceLink cluster={cluster} clustered={data?.clustered ?? null} />}
      />
      {read.isError && <ProblemNotice error={read.error} />}
      {latest !== null && isPressing(latest) && <ReplacementNotice cluster={cluster} replacement={latest} />}
      {data?.findings.toSorted(worstFirst).map((finding) => (
        <Notice key={finding.code} tone={finding.severity} shape={findingShapes[finding.severity]}>
          {finding.text}
        </Notice>
      ))}
      <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-3.5">
          <Boundary title={titleOf(data)}>
            <ClusterCertificateCard cluster={cluster} data={data} failed={read.isError} />
          </Boundary>
          {data !== undefined && (
            <Boundary title="How this console recognises the cluster">
              <TrustCard cluster={cluster} trust={data.trust} />
            </Boundary>
          )}
        </div>
        <div className="flex min-w-0 flex-col gap-3.5">
          {(data !== undefined || !read.isError) && (
            <Boundary title="Presented by each server">
              <PresentedBy presented={data?.presented} />
            </Boundary>
          )}
          <Boundary title="Renewal by itself (ACME)">
            <AcmeCard cluster={cluster} />
          </Boundary>
          {data !== undefined && (
            <Boundary title="This console's own identity">
              <IdentityCard cluster={cluster} identity={data.identity} />
            </Boundary>
          )}
        </div>
      </div>
    </>
  )
}

function ReplaceLink({ cluster, clustered }: { cluster: string; clustered: boolean | null }) {
  const { may, because } = useMay('certificate.replace')
  const reason = clustered === false ? 'Incus replaces only the certificate of a cluster.' : may ? undefined : because
  if (reason !== undefined) return <Button disabledReason={reason}>Replace…</Button>
  return (
    <Link
      to="/clusters/$cluster/certificates/replace"
      params={{ cluster }}
      className="inline-flex h-8 shrink-0 items-center rounded-[7px] bg-accent px-3 text-13 font-strong whitespace-nowrap text-accent-ink hover:bg-accent-hover"
    >
      Replace…
    </Link>
  )
}

function titleOf(data: ClusterCertificate | undefined): string {
  return data?.clustered === false ? 'Server certificate' : 'Cluster certificate'
}

function ClusterCertificateCard(props: { cluster: string; data: ClusterCertificate | undefined; failed: boolean }) {
  const { cluster, data, failed } = props
  const certificate = data?.certificate.value
  if (data === undefined || certificate === undefined || certificate === null) {
    const freshness = data?.certificate.freshness
    return (
      <Card title={titleOf(data)}>
        {freshness?.kind === 'unavailable' ? (
          <p className="px-(--pad-x) py-3 text-ink-3">Not known: {freshness.reason}</p>
        ) : failed ? (
          <p className="px-(--pad-x) py-3 text-ink-3">Not read yet.</p>
        ) : (
          <SkeletonRows rows={7} />
        )}
      </Card>
    )
  }
  const now = serverNow()
  const tone = certificateTone(certificate.expiresAt, now)
  return (
    <Card
      title={titleOf(data)}
      note={
        <Badge tone={tone} shape={tone === 'good' ? 'check' : 'alert'}>
          {describeValidity(certificate, now)}
        </Badge>
      }
      aside={
        <Button size="small" onPress={() => downloadPem(`${cluster}.crt`, certificate.pem)}>
          <Download size={13} aria-hidden="true" />
          PEM
        </Button>
      }
    >
      <LifeLine from={certificate.validFromAt} until={certificate.expiresAt} now={now} renewal={data.renewal} />
      {data.clustered === false && (
        <p className="px-(--pad-x) pb-2 text-ink-2">
          This server is not clustered, and Incus replaces only the certificate of a cluster through its API. Put
          another one at <code className="font-mono text-12">/var/lib/incus/server.crt</code> and{' '}
          <code className="font-mono text-12">server.key</code> and restart Incus, or let it get one through ACME.
        </p>
      )}
      <Facts>
        <Fact name="Subject">
          <span className="font-mono text-12">{certificate.subject}</span>
        </Fact>
        <Fact name="Names covered">
          <Names certificate={certificate} needed={data.namesNeeded} />
        </Fact>
        <Fact name="Issuer">
          <Issuer certificate={certificate} chain={data.chain} />
        </Fact>
        <Fact name="Key">{certificate.key}</Fact>
        <Fact name="Serial">
          <span className="font-mono text-12">{certificate.serial}</span>
        </Fact>
        <Fact name="SHA-256">
          <Fingerprint value={certificate.fingerprint} />
        </Fact>
      </Facts>
    </Card>
  )
}

/** Every name it covers, and every name in use that it does not, with what breaks for whom. */
function Names({ certificate, needed }: { certificate: Certificate; needed: ClusterCertificate['namesNeeded'] }) {
  const missing = needed.filter(({ covered }) => !covered)
  const uses = new Map(needed.map(({ name, usedFor }) => [name, usedFor]))
  return (
    <>
      <ul className="flex flex-wrap gap-1.5">
        {certificate.names.map((name) => (
          <li
            key={name}
            title={uses.get(name)}
            className="inline-flex h-5.5 items-center gap-1 rounded-[5px] border border-line px-1.5 font-mono text-11"
          >
            {name}
            <StateMark tone="good" shape="check" size={10} />
            <span className="sr-only">covered</span>
          </li>
        ))}
        {certificate.names.length === 0 && <li className="text-ink-3">It names no host.</li>}
      </ul>
      {missing.length > 0 && (
        <ul aria-label="Names it does not cover" className="mt-2 flex flex-col gap-1.5">
          {missing.map(({ name, usedFor, breaks }) => (
            <li key={name} className="text-12">
              <span className="inline-flex h-5.5 items-center gap-1 rounded-[5px] border border-bad-line bg-bad-soft px-1.5 font-mono text-11 text-bad">
                {name}
                <StateMark tone="bad" shape="cross" size={10} />
                <span className="font-sans">missing</span>
              </span>{' '}
              <span className="text-ink-2">
                for {usedFor}. {breaks}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Issuer({ certificate, chain }: { certificate: Certificate; chain: readonly Certificate[] }) {
  if (certificate.selfSigned)
    return <span>Signed by itself, as Incus makes it; clients trust it by its fingerprint.</span>
  const steps = chain.length === 0 ? [certificate.issuer] : chain.map(({ subject }) => subject)
  const last = chain.at(-1)
  return (
    <span className="flex flex-wrap gap-x-1.5">
      {steps.map((step, index) => (
        <span key={step}>
          {index > 0 && <span className="text-ink-3">› </span>}
          {step}
        </span>
      ))}
      {last !== undefined && !last.selfSigned && <span className="text-ink-3">› {last.issuer}</span>}
      {chain.map((step) => (
        <span key={step.fingerprint} className="sr-only">
          {step.subject} valid until {formatDate(step.expiresAt)}, {formatExpiry(step.expiresAt, serverNow())}
        </span>
      ))}
    </span>
  )
}
