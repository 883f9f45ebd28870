import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { formatBytes, formatPercent } from '../lib/bytes.ts'
import { formatDate, formatExpiry } from '../lib/time.ts'
import { Chip } from '../ui/Badge.tsx'
import { HealthStrip } from '../ui/HealthStrip.tsx'
import { Meter } from '../ui/Meter.tsx'
import type { Tone } from '../ui/StateMark.tsx'
import { inkOf, StateMark } from '../ui/StateMark.tsx'
import type { Column } from '../ui/Table.tsx'
import { certificateTone, listNames } from './cluster-words.ts'
import { ClusterSays, HealthBadge } from './HealthBadge.tsx'
import { describeStrip } from './health-strip-words.ts'
import { KnownValue, Missing } from './KnownValue.tsx'
import { MemberActions } from './MemberActions.tsx'
import { MemberLink } from './MemberLink.tsx'
import { answerText, isUsable, roleNames, shortAddress } from './member-words.ts'
import { Ticking } from './Ticking.tsx'
import { serverNow } from '../lib/clock.ts'

/** A server with its last 24 hours; null until they are known. */
export interface MemberRow {
  readonly member: Member
  readonly history: readonly Tone[] | null
}

/** Every column there is for servers, by name. Which of them a table has is its page's choice. */
export const memberColumns = {
  server: {
    id: 'server',
    title: 'Server',
    header: true,
    sortable: true,
    cell: ({ member }) => <MemberLink name={member.name} />,
  },
  address: {
    id: 'address',
    title: 'Address',
    hint: 'Where this console reaches it',
    sortable: true,
    from: 'xl',
    cell: ({ member }) => <span className="font-mono text-12 text-ink-3">{shortAddress(member.address)}</span>,
  },
  health: {
    id: 'health',
    title: 'Health',
    hint: 'What this console measures',
    sortable: true,
    cell: ({ member }) => <HealthBadge member={member} />,
  },
  reported: {
    id: 'reported',
    title: 'Cluster says',
    hint: 'What the cluster itself says of the server; ≠ where this console measures otherwise',
    sortable: true,
    from: 'sm',
    cell: ({ member }) => <ClusterSays member={member} />,
  },
  roles: {
    id: 'roles',
    title: 'Roles',
    hint: 'Its part in the cluster database, and other roles',
    from: 'md',
    cell: ({ member }) => (
      <KnownValue quiet known={member.reported}>
        {({ roles }) => (
          <span className="flex gap-1">
            {roleNames(roles).map((role) => (
              <Chip key={role}>{role}</Chip>
            ))}
          </span>
        )}
      </KnownValue>
    ),
  },
  groups: {
    id: 'groups',
    title: 'Groups',
    from: 'xl',
    cell: ({ member }) => (
      <KnownValue quiet known={member.reported}>
        {({ groups }) => (
          <span className="text-ink-2" title={groups.join(', ')}>
            {listNames(tellingGroups(groups), 2) || '–'}
          </span>
        )}
      </KnownValue>
    ),
  },
  failureDomain: {
    id: 'failureDomain',
    title: 'Domain',
    hint: 'Failure domain',
    sortable: true,
    from: 'xl',
    cell: ({ member }) => (
      <KnownValue quiet known={member.reported}>
        {({ failureDomain }) => <span className="text-ink-2">{failureDomain || '–'}</span>}
      </KnownValue>
    ),
  },
  answer: {
    id: 'answer',
    title: 'Answer',
    hint: 'Median time of its answers in the last minute, measured by this console',
    align: 'end',
    sortable: true,
    cell: ({ member }) => <AnswerTime member={member} />,
  },
  load: {
    id: 'load',
    title: 'Load/core',
    hint: 'Load average of one minute, divided by the number of cores',
    sortable: true,
    from: 'md',
    cell: ({ member }) => (
      <KnownValue known={member.load}>
        {({ average1, cores }) => {
          const share = average1 / Math.max(1, cores)
          return (
            <Meter
              value={share}
              warnAt={0.9}
              badAt={1.5}
              label={`Load per core of ${member.name}`}
              text={share.toFixed(2)}
            />
          )
        }}
      </KnownValue>
    ),
  },
  memory: {
    id: 'memory',
    title: 'Memory',
    sortable: true,
    from: 'md',
    cell: ({ member }) => (
      <KnownValue quiet={isStale(member.load)} known={member.memory}>
        {({ usedBytes, totalBytes }) => (
          <span title={`${formatBytes(usedBytes)} of ${formatBytes(totalBytes)}`}>
            <Meter
              value={totalBytes <= 0 ? 0 : usedBytes / totalBytes}
              label={`Memory of ${member.name}`}
              text={formatPercent(usedBytes, totalBytes)}
            />
          </span>
        )}
      </KnownValue>
    ),
  },
  instances: {
    id: 'instances',
    title: 'Instances',
    align: 'end',
    sortable: true,
    from: 'sm',
    cell: ({ member }) => (
      <KnownValue quiet={isStale(member.load)} known={member.instances}>
        {({ count }) => count}
      </KnownValue>
    ),
  },
  certificate: {
    id: 'certificate',
    title: 'Certificate',
    hint: 'What it presented in the last handshake with this console',
    sortable: true,
    from: 'xl',
    cell: ({ member }) => <PresentedCertificate member={member} short />,
  },
  history: {
    id: 'history',
    title: 'Last 24 h',
    hint: 'The worst standing in each 40 minutes',
    from: 'lg',
    cell: ({ member, history }) =>
      history === null ? (
        <Missing reason="not read yet" />
      ) : (
        <HealthStrip pieces={history} label={describeStrip(member.name, history)} />
      ),
  },
  actions: {
    id: 'actions',
    title: 'Actions',
    align: 'end',
    last: true,
    from: 'sm',
    cell: ({ member }) => <MemberActions member={member} />,
  },
} satisfies Record<string, Column<MemberRow>>

function isStale({ freshness }: { readonly freshness: Freshness }): boolean {
  return freshness.kind === 'stale'
}

/** Nearly every server is in `default`: it is told where there is nothing else to tell. */
function tellingGroups(groups: readonly string[]): readonly string[] {
  const others = groups.filter((group) => group !== 'default')
  return others.length === 0 ? groups : others
}

export type MemberColumn = keyof typeof memberColumns

function AnswerTime({ member }: { member: Member }) {
  const tone = !isUsable(member) ? inkOf.bad : member.health.symptom === 'slow' ? inkOf.warning : ''
  return (
    <span className={tone}>
      <Ticking describe={(now) => answerText(member, now)} />
    </span>
  )
}

const verdictWords = {
  same: { tone: 'good', shape: 'check', word: 'Same' },
  next: { tone: 'info', shape: 'rising', word: 'Next' },
  trusted: { tone: 'good', shape: 'check', word: 'Trusted' },
  expired: { tone: 'bad', shape: 'cross', word: 'Expired' },
  unknown: { tone: 'bad', shape: 'key', word: 'Not known' },
} as const

export function PresentedCertificate({ member, short = false }: { member: Member; short?: boolean }) {
  if (member.presented === null) return <Missing reason="no handshake with this console yet" />
  const { fingerprint, expiresAt, verdict } = member.presented
  const { tone, shape, word } = verdictWords[verdict]
  const life = certificateTone(expiresAt, serverNow())
  return (
    <span
      className="inline-flex items-center gap-1.5"
      title={`SHA-256 ${fingerprint}\nvalid until ${formatDate(expiresAt)}`}
    >
      <StateMark tone={tone} shape={shape} />
      <span className={short && tone === 'good' ? 'sr-only' : ''}>{word}</span>
      <span className={life === 'good' ? 'text-ink-3' : inkOf[life]}>{formatExpiry(expiresAt, serverNow())}</span>
    </span>
  )
}
