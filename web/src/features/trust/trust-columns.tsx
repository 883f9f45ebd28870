import type { TrustEntry, TrustView } from '@malleus/shared/api/trust.ts'
import { certificateTone } from '../../components/cluster-words.ts'
import { Ago } from '../../components/Ticking.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { Badge, Chip } from '../../ui/Badge.tsx'
import type { LongColumn } from '../../ui/LongTable.tsx'
import { inkOf } from '../../ui/StateMark.tsx'
import { worstOf } from './trust-list.ts'
import { describeUse, mayDo, typeWords, unseen } from './trust-words.ts'

export type TrustColumn =
  | 'pick'
  | 'name'
  | 'type'
  | 'may'
  | 'state'
  | 'expires'
  | 'key'
  | 'issuer'
  | 'used'
  | 'fingerprint'

export interface Picking {
  readonly picked: ReadonlySet<string>
  readonly onPick: (fingerprint: string, isPicked: boolean) => void
  readonly onOpen: (fingerprint: string) => void
  readonly uses: TrustView['uses']
  /** Why an entry cannot be removed; undefined when it can. */
  readonly cannotRemove: (entry: TrustEntry) => string | undefined
}

/** Every column there is for entries, by name. */
export function trustColumns(picking: Picking): Readonly<Record<TrustColumn, LongColumn<TrustEntry>>> {
  return {
    pick: { id: 'pick', title: 'Pick', widthPx: 52, cell: (entry) => <Pick entry={entry} picking={picking} /> },
    name: {
      id: 'name',
      title: 'Name',
      header: true,
      sortable: true,
      cell: (entry) => (
        <span className="flex min-w-0 items-center gap-2">
          <button
            type="button"
            data-entry={entry.fingerprint}
            onClick={() => picking.onOpen(entry.fingerprint)}
            className="min-w-0 cursor-default truncate rounded-sm font-strong text-ink hover:text-accent-text hover:underline"
          >
            {entry.name || `${entry.fingerprint.slice(0, 12)}…`}
          </button>
          {entry.isConsole && <Chip>this console</Chip>}
        </span>
      ),
    },
    type: {
      id: 'type',
      title: 'Type',
      sortable: true,
      from: 'md',
      widthPx: 84,
      cell: ({ type }) => <span className="text-ink-2">{typeWords[type]}</span>,
    },
    may: {
      id: 'may',
      title: 'May do',
      hint: 'What Incus lets it do, where no other authorization driver decides',
      sortable: true,
      from: 'sm',
      widthPx: 176,
      cell: (entry) => (
        <span className={entry.restricted ? 'text-ink-2' : ''} title={mayDo(entry)}>
          {mayDo(entry)}
        </span>
      ),
    },
    state: {
      id: 'state',
      title: 'State',
      sortable: true,
      widthPx: 136,
      cell: (entry) => <EntryBadge entry={entry} />,
    },
    expires: {
      id: 'expires',
      title: 'Expires',
      sortable: true,
      from: 'md',
      widthPx: 152,
      cell: ({ certificate }) => <Expiry at={certificate?.expiresAt} />,
    },
    used: {
      id: 'used',
      title: 'Last used',
      hint: 'As the request log of the servers says; hover for from where and by which server',
      sortable: true,
      from: 'md',
      widthPx: 128,
      cell: (entry) => <LastUsed entry={entry} uses={picking.uses} />,
    },
    key: {
      id: 'key',
      title: 'Key',
      sortable: true,
      from: 'lg',
      widthPx: 112,
      cell: ({ certificate }) => <span className="text-ink-2">{certificate?.key ?? '–'}</span>,
    },
    issuer: {
      id: 'issuer',
      title: 'Issuer',
      sortable: true,
      from: 'lg',
      widthPx: 176,
      cell: ({ certificate }) => (
        <span className="text-ink-2" title={certificate?.issuer}>
          {certificate === null ? '–' : certificate.selfSigned ? 'itself' : certificate.issuer}
        </span>
      ),
    },
    fingerprint: {
      id: 'fingerprint',
      title: 'Fingerprint',
      sortable: true,
      from: 'lg',
      widthPx: 128,
      cell: ({ fingerprint }) => (
        <span className="font-mono text-12 text-ink-2" title={fingerprint}>
          {fingerprint.slice(0, 12)}…
        </span>
      ),
    },
  }
}

function Pick({ entry, picking }: { entry: TrustEntry; picking: Picking }) {
  const why = picking.cannotRemove(entry)
  const name = entry.name || entry.fingerprint.slice(0, 12)
  return (
    <input
      type="checkbox"
      aria-label={`Choose ${name}`}
      title={why}
      disabled={why !== undefined}
      checked={picking.picked.has(entry.fingerprint)}
      onChange={({ target }) => picking.onPick(entry.fingerprint, target.checked)}
      className="block size-3.5 accent-(--accent)"
    />
  )
}

/** How an entry is, by the worst thing about it. */
export function EntryBadge({ entry }: { entry: TrustEntry }) {
  const worst = worstOf(entry)
  if (worst === null) {
    return (
      <Badge tone="good" shape="check">
        Good
      </Badge>
    )
  }
  return (
    <span title={worst.text}>
      <Badge tone={worst.severity} shape={worst.severity === 'bad' ? 'cross' : 'alert'}>
        {stateWords[worst.code] ?? 'Look at it'}
      </Badge>
    </span>
  )
}

const stateWords: Readonly<Record<string, string>> = {
  unreadable: 'Unreadable',
  expired: 'Expired',
  expires: 'Expires soon',
  not_yet_valid: 'Not valid yet',
  weak_key: 'Weak key',
  weak_signature: 'Old signature',
  same_key: 'Twice',
}

function LastUsed({ entry: { lastUse }, uses }: { entry: TrustEntry; uses: TrustView['uses'] }) {
  if (lastUse !== null) {
    return (
      <span className="text-ink-2" title={describeUse(lastUse)}>
        <Ago at={lastUse.at} />
      </span>
    )
  }
  const why = unseen(uses)
  return (
    <span className="text-ink-3" title={why}>
      {uses === null || uses.since === null ? '–' : 'not seen'}
      <span className="sr-only">: {why}</span>
    </span>
  )
}

function Expiry({ at }: { at: string | undefined }) {
  if (at === undefined) return <span className="text-ink-3">–</span>
  const tone = certificateTone(at, serverNow())
  return (
    <time dateTime={at} title={formatDate(at)} className={tone === 'good' ? 'text-ink-2' : inkOf[tone]}>
      {formatExpiry(at, serverNow())}
    </time>
  )
}
