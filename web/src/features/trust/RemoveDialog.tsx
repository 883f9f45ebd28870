import type { TrustEntry } from '@malleus/shared/api/trust.ts'
import { canRemoveTrust } from '@malleus/shared/domain/possibilities.ts'
import { useState } from 'react'
import { useRemoveTrust, type Removal } from '../../api/trust.ts'
import { useTarget } from '../../components/current.ts'
import { plural } from '../../lib/plural.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { Command } from './Command.tsx'
import { mayDo, removeCommand } from './trust-words.ts'

/** Says who loses what before it is done, and how each removal ended. */
export function RemoveDialog(props: {
  cluster: string
  entries: readonly TrustEntry[]
  all: readonly TrustEntry[]
  onClose: (removed: boolean) => void
}) {
  const { cluster, entries, all, onClose } = props
  const removing = useRemoveTrust(cluster, useTarget())
  const [asked] = useState(() => entries.map((entry) => ({ entry, key: crypto.randomUUID() })))
  const [only] = asked
  const what = asked.length === 1 ? (only?.entry.name ?? '') : plural(asked.length, 'client')
  if (removing.data !== undefined || removing.isPending) {
    return (
      <Dialog
        title={`Remove ${what}`}
        onClose={() => onClose(true)}
        footer={<Button onPress={() => onClose(true)}>Close</Button>}
      >
        {removing.data === undefined ? (
          <p className="after-200ms text-ink-2">Asking the cluster…</p>
        ) : (
          <Removals removals={removing.data} />
        )}
      </Dialog>
    )
  }
  const doubts = warningsOf(entries, all)
  return (
    <Dialog
      title={`Remove ${what}?`}
      onClose={() => onClose(false)}
      footer={
        <>
          <Button onPress={() => onClose(false)}>Cancel</Button>
          <Button tone="danger" onPress={() => removing.mutate(asked)}>
            Remove {asked.length === 1 ? 'it' : 'them'}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <p>
          {asked.length === 1 ? 'It loses' : 'They lose'} access at once, on every server. What{' '}
          {asked.length === 1 ? 'it' : 'they'} began goes on. To come back, {asked.length === 1 ? 'it has' : 'each has'}{' '}
          to be trusted anew.
        </p>
        <ul aria-label="Who loses access" className="divide-y divide-line rounded-[10px] border border-line">
          {entries.map((entry) => (
            <li key={entry.fingerprint} className="flex flex-wrap gap-x-3 px-3 py-1.5">
              <span className="font-strong">{entry.name || entry.fingerprint.slice(0, 12)}</span>
              <span className="text-ink-2">{mayDo(entry)}</span>
              <span className="ml-auto font-mono text-12 text-ink-3">{entry.fingerprint.slice(0, 12)}…</span>
            </li>
          ))}
        </ul>
        {doubts.map((text) => (
          <p key={text} className="flex items-start gap-2 text-warning">
            <span className="mt-1">
              <StateMark tone="warning" shape="alert" />
            </span>
            {text}
          </p>
        ))}
        <Command text={removeCommand(cluster, entries)} />
      </div>
    </Dialog>
  )
}

/** What the removal of all of them together does beyond each of them. */
export function warningsOf(entries: readonly TrustEntry[], all: readonly TrustEntry[]): readonly string[] {
  let left = all
  const found = new Set<string>()
  for (const entry of entries) {
    const possible = canRemoveTrust(entry, left)
    if (possible.kind !== 'can') found.add(possible.because)
    left = left.filter((one) => one.fingerprint !== entry.fingerprint)
  }
  return [...found]
}

function Removals({ removals }: { removals: readonly Removal[] }) {
  return (
    <ul role="status" className="flex flex-col gap-2">
      {removals.map(({ entry, error }) => (
        <li key={entry.fingerprint} className="flex items-start gap-2">
          <span className="mt-1">
            <StateMark tone={error === null ? 'good' : 'bad'} shape={error === null ? 'check' : 'cross'} />
          </span>
          <span>
            <strong>{entry.name || entry.fingerprint.slice(0, 12)}</strong>{' '}
            {error === null ? 'is trusted no more.' : `was not removed: ${error.message}`}
          </span>
        </li>
      ))}
    </ul>
  )
}
