import type { ClusterCertificate } from '@malleus/shared/api/certificate.ts'
import { byName } from '../../lib/by-name.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { Badge } from '../../ui/Badge.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { presentedWords } from './certificate-view.ts'

/** What each server showed in its last handshake with this console. */
export function PresentedBy({ presented }: { presented: ClusterCertificate['presented'] | undefined }) {
  return (
    <Card title="Presented by each server" note="in the last handshake">
      {presented === undefined ? (
        <SkeletonRows rows={5} />
      ) : (
        <ul className="divide-y divide-line">
          {presented
            .toSorted((a, b) => byName(a.member, b.member))
            .map(({ member, verdict, was, fingerprint, seenAt, note }) => {
              const { tone, shape, word } = presentedWords[verdict]
              return (
                <li
                  key={member}
                  className="flex min-h-(--row) flex-wrap items-center gap-x-3 gap-y-1 px-(--pad-x) py-1.5"
                >
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
                    {seenAt === null ? (
                      'never seen'
                    ) : (
                      <span>
                        {verdict === 'no-handshake' && was !== null && (
                          <>last seen {presentedWords[was].word.toLowerCase()}, </>
                        )}
                        <Ago at={seenAt} />
                      </span>
                    )}
                  </span>
                  {note !== null && <span className="basis-full text-12 text-ink-2">{note}</span>}
                </li>
              )
            })}
        </ul>
      )}
    </Card>
  )
}
