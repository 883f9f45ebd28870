import type { Replacement, ReplacementRow } from '@malleus/shared/api/certificate-replacement.ts'
import { Link } from '@tanstack/react-router'
import { useReplaceCertificate } from '../../api/certificate-replacement.ts'
import { useMay, useTarget } from '../../components/current.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { byName } from '../../lib/by-name.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { offerWords, rowWords, verdictWords } from './replacement-view.ts'

/** How a replacement goes or went: what was decided, each server, and what can be done about it. */
export function ReplacementCard({ cluster, replacement }: { cluster: string; replacement: Replacement }) {
  const { startedAt, by, rows, sentence, verdict, repair } = replacement
  const { tone, shape, word } = verdictWords(replacement)
  return (
    <Card
      title="Replacement"
      note={
        <Badge tone={tone} shape={shape}>
          {word}
        </Badge>
      }
      aside={
        <span className="text-12 text-ink-3">
          {by}, <Ago at={startedAt} />
        </span>
      }
    >
      <p role="status" className="px-(--pad-x) pt-3 pb-2">
        {sentence}
      </p>
      <ul aria-label="Servers" className="divide-y divide-line border-t border-line">
        {rows
          .toSorted((a, b) => byName(a.member, b.member))
          .map((row) => (
            <Row key={row.member} row={row} />
          ))}
      </ul>
      {verdict !== null && <Offers cluster={cluster} replacement={replacement} />}
      {repair.map(({ members, command }) => (
        <div key={command} className="border-t border-line px-(--pad-x) py-3">
          <p>
            {members.join(', ')}: run this on each, as root, where{' '}
            <code className="font-mono text-12">cluster.crt</code> and{' '}
            <code className="font-mono text-12">cluster.key</code> hold the certificate that all are to have, and its
            key. Each server then writes it for itself alone, without asking the others.
          </p>
          <p className="mt-2 flex min-w-0 items-start gap-1 rounded-md bg-sunken px-2 py-1">
            <code className="min-w-0 grow py-1 font-mono text-12 whitespace-pre-wrap wrap-anywhere text-ink-2">
              {command}
            </code>
            <Copy text={command} what="the command" />
          </p>
        </div>
      ))}
    </Card>
  )
}

function Row({ row }: { row: ReplacementRow }) {
  const { member, presents, fingerprint, seenAt, note } = row
  const { tone, shape, word } = rowWords[presents]
  return (
    <li className="flex min-h-(--row) flex-wrap items-center gap-x-3 gap-y-1 px-(--pad-x) py-1.5">
      <span className="min-w-20">
        <MemberLink name={member} />
      </span>
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
      <span className="ml-auto flex items-center gap-3 text-12 text-ink-3">
        {fingerprint !== null && (
          <span className="font-mono" title={fingerprint}>
            {fingerprint.slice(0, 8)}…{fingerprint.slice(-4)}
          </span>
        )}
        {seenAt === null ? 'never seen' : <Ago at={seenAt} />}
      </span>
      {note !== null && <span className="basis-full text-12 text-ink-2">{note}</span>}
    </li>
  )
}

function Offers({ cluster, replacement }: { cluster: string; replacement: Replacement }) {
  const { may, because } = useMay('certificate.replace')
  const replacing = useReplaceCertificate(cluster, useTarget())
  if (replacement.offers.length === 0) return null
  const reason = may ? (replacing.isPending ? 'It is being sent.' : undefined) : because
  return (
    <div className="flex flex-col gap-3 border-t border-line px-(--pad-x) py-3">
      {replacing.isError && <ProblemNotice error={replacing.error} />}
      {replacement.offers.map((offer) => (
        <div key={offer} className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <p className="min-w-56 flex-1 text-ink-2">{offerWords[offer].text}</p>
          <Button
            disabledReason={reason}
            onPress={() =>
              replacing.mutate({
                key: crypto.randomUUID(),
                body: { what: offer === 'push-again' ? 'again' : 'old-back' },
              })
            }
          >
            {offerWords[offer].title}
          </Button>
        </div>
      ))}
    </div>
  )
}

/** In a few words on the page of certificates, while it goes on and when it did not end well. */
export function ReplacementNotice({ cluster, replacement }: { cluster: string; replacement: Replacement }) {
  const { tone, shape } = verdictWords(replacement)
  return (
    <Notice
      tone={tone}
      shape={shape}
      headline="Replacement of the certificate."
      actions={
        <Link to="/clusters/$cluster/certificates/replace" params={{ cluster }} className="underline">
          Show it
        </Link>
      }
    >
      {replacement.sentence}
    </Notice>
  )
}
