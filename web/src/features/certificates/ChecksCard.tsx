import type { Certificate } from '@malleus/shared/api/certificate.ts'
import type { CertificateCheck } from '@malleus/shared/api/certificate-replacement.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { checkWords, worstChecksFirst } from './replacement-view.ts'

/** What would become of it, line by line, the worst first. */
export function ChecksCard(props: { checks: readonly CertificateCheck[] | undefined; isPending: boolean }) {
  const { checks, isPending } = props
  return (
    <Card title="Checks">
      <div role="status">
        {checks === undefined ? (
          <p className="px-(--pad-x) py-3 text-ink-3">
            {isPending ? 'Looking at it…' : 'Give a certificate and look at it: what would become of it is told here.'}
          </p>
        ) : (
          <ul className="divide-y divide-line">
            {worstChecksFirst(checks).map(({ id, verdict, text }) => {
              const { tone, shape, word } = checkWords[verdict]
              return (
                <li key={`${id} ${text}`} className="flex items-start gap-2.5 px-(--pad-x) py-2">
                  <span className="mt-1">
                    <StateMark tone={tone} shape={shape} />
                  </span>
                  <span className="min-w-0 wrap-anywhere">
                    <span className={verdict === 'can' ? 'sr-only' : 'font-strong'}>{word}: </span>
                    {text}
                  </span>
                </li>
              )
            })}
          </ul>
        )}
      </div>
    </Card>
  )
}

/** The one that was looked at, to compare with what was meant. */
export function CheckedCertificate({ certificate }: { certificate: Certificate }) {
  return (
    <Card title="As it was read">
      <Facts>
        <Fact name="Subject">
          <span className="font-mono text-12">{certificate.subject}</span>
        </Fact>
        <Fact name="Names">
          <span className="font-mono text-12 wrap-anywhere">{certificate.names.join(', ') || 'none'}</span>
        </Fact>
        <Fact name="Issuer">{certificate.selfSigned ? 'Itself' : certificate.issuer}</Fact>
        <Fact name="Valid until">
          {formatDate(certificate.expiresAt)}, {formatExpiry(certificate.expiresAt, serverNow())}
        </Fact>
        <Fact name="Key">{certificate.key}</Fact>
        <Fact name="SHA-256">
          <Fingerprint value={certificate.fingerprint} />
        </Fact>
      </Facts>
    </Card>
  )
}
