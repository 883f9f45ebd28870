import type { TrustEntry, TrustView } from '@malleus/shared/api/trust.ts'
import { canRemoveTrust } from '@malleus/shared/domain/possibilities.ts'
import { lazy, Suspense, useState } from 'react'
import { useMayChange } from '../../components/current.ts'
import { Fingerprint } from '../../components/Fingerprint.tsx'
import { MemberLink } from '../../components/MemberLink.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { Fact, Facts } from '../../ui/Card.tsx'
import { SidePanel } from '../../ui/SidePanel.tsx'
import { inkOf, StateMark } from '../../ui/StateMark.tsx'
import { findingShapes, mayDo, typeWords, unseen } from './trust-words.ts'

const EditDialog = lazy(() => import('./EditDialog.tsx').then((m) => ({ default: m.EditDialog })))

/** All that is known of one entry, and what can be done with it. */
export function EntryPanel(props: {
  cluster: string
  entry: TrustEntry
  all: readonly TrustEntry[]
  projects: readonly string[]
  uses: TrustView['uses']
  rotation: TrustView['rotation']
  onRemove: () => void
  onRotate: () => void
  onClose: () => void
}) {
  const { cluster, entry, all, projects, uses, rotation, onRemove, onRotate, onClose } = props
  const [editing, setEditing] = useState(false)
  const update = useMayChange('trust.update')
  const remove = useMayChange('trust.remove')
  const rotate = useMayChange('trust.rotate')
  const whyNotRotate = rotate.may
    ? (rotation.cannot ?? (rotation.stage === 'settled' ? undefined : 'It is being rotated already.'))
    : rotate.because
  const possible = canRemoveTrust(entry, all)
  const whyNot = !remove.may ? remove.because : possible.kind === 'cannot' ? possible.because : undefined
  return (
    <SidePanel title={entry.name || entry.fingerprint.slice(0, 12)} onClose={onClose}>
      {entry.findings.length > 0 && (
        <ul className="flex flex-col gap-2 border-b border-line px-(--pad-x) py-3">
          {entry.findings.map(({ severity, code, text }) => (
            <li key={code} className={`flex items-start gap-2 ${inkOf[severity]}`}>
              <span className="mt-1">
                <StateMark tone={severity} shape={findingShapes[severity]} />
              </span>
              {text}
            </li>
          ))}
        </ul>
      )}
      <EntryFacts entry={entry} uses={uses} />
      <div className="flex flex-wrap gap-2 border-t border-line px-(--pad-x) py-3">
        <Button
          opens="dialog"
          disabledReason={
            entry.type === 'server' ? 'It is that of a server of the cluster.' : update.may ? undefined : update.because
          }
          onPress={() => setEditing(true)}
        >
          Edit…
        </Button>
        {entry.isConsole && (
          <Button opens="dialog" disabledReason={whyNotRotate} onPress={onRotate}>
            Rotate…
          </Button>
        )}
        <Button opens="dialog" disabledReason={whyNot} onPress={onRemove}>
          Remove…
        </Button>
      </div>
      {editing && (
        <Suspense fallback={null}>
          <EditDialog cluster={cluster} entry={entry} projects={projects} onClose={() => setEditing(false)} />
        </Suspense>
      )}
    </SidePanel>
  )
}

function EntryFacts({ entry, uses }: { entry: TrustEntry; uses: TrustView['uses'] }) {
  const { fingerprint, type, description, certificate, lastUse } = entry
  return (
    <Facts>
      <Fact name="Type">{typeWords[type]}</Fact>
      <Fact name="May do">{mayDo(entry)}</Fact>
      {description !== '' && <Fact name="Description">{description}</Fact>}
      <Fact name="Last used">
        {lastUse === null ? (
          <span className="text-ink-3">{unseen(uses)}</span>
        ) : (
          <>
            <Ago at={lastUse.at} />
            <span className="text-ink-2">
              {lastUse.address !== null && ` from ${lastUse.address}`}, answered by <MemberLink name={lastUse.member} />
            </span>
          </>
        )}
      </Fact>
      <Fact name="SHA-256">
        <Fingerprint value={fingerprint} />
      </Fact>
      {certificate !== null && (
        <>
          <Fact name="Subject">
            <span className="font-mono text-12 wrap-anywhere">{certificate.subject}</span>
          </Fact>
          <Fact name="Issuer">
            {certificate.selfSigned ? (
              'Signed by itself; Incus knows it by its fingerprint.'
            ) : (
              <span className="font-mono text-12 wrap-anywhere">{certificate.issuer}</span>
            )}
          </Fact>
          <Fact name="Key">{certificate.key}</Fact>
          <Fact name="Signature">{certificate.signature}</Fact>
          <Fact name="Valid from">{formatDate(certificate.validFromAt)}</Fact>
          <Fact name="Valid until">
            {formatDate(certificate.expiresAt)}, {formatExpiry(certificate.expiresAt, serverNow())}
          </Fact>
        </>
      )}
    </Facts>
  )
}
