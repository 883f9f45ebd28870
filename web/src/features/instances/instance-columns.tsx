import type { Instance } from '@malleus/shared/api/instances.ts'
import { Missing } from '../../components/KnownValue.tsx'
import { MemberLink } from '../../components/MemberLink.tsx'
import { formatDate, formatFull } from '../../lib/time.ts'
import { Chip } from '../../ui/Badge.tsx'
import type { LongColumn } from '../../ui/LongTable.tsx'
import { InstanceBadge } from './InstanceBadge.tsx'
import { stateOf, typeWord, type Servers } from './instance-state.ts'

export type InstanceColumn =
  | 'name'
  | 'state'
  | 'type'
  | 'project'
  | 'location'
  | 'addresses'
  | 'profiles'
  | 'image'
  | 'architecture'
  | 'description'
  | 'created'
  | 'lastUsed'

/** Every column there is for instances, by name. Which of them the table has is the person's choice. */
export function instanceColumns(servers: Servers): Readonly<Record<InstanceColumn, LongColumn<Instance>>> {
  return {
    name: {
      id: 'name',
      title: 'Name',
      header: true,
      sortable: true,
      cell: ({ name }) => <span title={name}>{name}</span>,
    },
    state: {
      id: 'state',
      title: 'State',
      hint: 'What the cluster says of it; grey and hatched where that is only the last known',
      sortable: true,
      widthPx: 160,
      cell: (instance) => <InstanceBadge state={stateOf(instance, servers)} />,
    },
    type: {
      id: 'type',
      title: 'Type',
      sortable: true,
      from: 'md',
      widthPx: 96,
      cell: ({ type }) => <Text value={typeWord(type)} />,
    },
    project: {
      id: 'project',
      title: 'Project',
      sortable: true,
      from: 'lg',
      widthPx: 112,
      cell: ({ project }) => <Text value={project} />,
    },
    location: {
      id: 'location',
      title: 'Server',
      sortable: true,
      from: 'sm',
      widthPx: 112,
      cell: ({ location }) => (location === null ? <NotTold /> : <MemberLink name={location} />),
    },
    addresses: {
      id: 'addresses',
      title: 'Addresses',
      hint: 'Addresses that its configuration gives it; it may have got others by itself',
      from: 'xl',
      widthPx: 144,
      cell: ({ addresses }) => <Text value={addresses && addresses.join(', ')} mono />,
    },
    profiles: {
      id: 'profiles',
      title: 'Profiles',
      from: 'xl',
      widthPx: 160,
      cell: ({ profiles }) => (profiles === null ? <NotTold /> : <Profiles names={profiles} />),
    },
    image: {
      id: 'image',
      title: 'Image',
      hint: 'What it was made from',
      sortable: true,
      from: 'xl',
      widthPx: 208,
      cell: ({ image }) => <Text value={image} />,
    },
    architecture: {
      id: 'architecture',
      title: 'Architecture',
      sortable: true,
      from: 'xl',
      widthPx: 112,
      cell: ({ architecture }) => <Text value={architecture} />,
    },
    description: {
      id: 'description',
      title: 'Description',
      from: 'xl',
      widthPx: 208,
      cell: ({ description }) => <Text value={description} />,
    },
    created: {
      id: 'created',
      title: 'Created',
      sortable: true,
      from: 'xl',
      widthPx: 112,
      cell: ({ status, createdAt }) => <Day at={createdAt} told={status !== null} />,
    },
    lastUsed: {
      id: 'lastUsed',
      title: 'Last started',
      sortable: true,
      from: 'xl',
      widthPx: 112,
      cell: ({ status, lastUsedAt }) => <Day at={lastUsedAt} told={status !== null} />,
    },
  }
}

function Text({ value, mono = false }: { value: string | null; mono?: boolean }) {
  if (value === null) return <NotTold />
  if (value === '') return <span className="text-ink-3">–</span>
  return (
    <span className={mono ? 'font-mono text-12 text-ink-2' : 'text-ink-2'} title={value}>
      {value}
    </span>
  )
}

function Profiles({ names }: { names: readonly string[] }) {
  if (names.length === 0) return <span className="text-ink-3">–</span>
  return (
    <span className="inline-flex gap-1" title={names.join(', ')}>
      {names.map((name) => (
        <Chip key={name}>{name}</Chip>
      ))}
    </span>
  )
}

function Day({ at, told }: { at: string | null; told: boolean }) {
  if (at === null) return told ? <span className="text-ink-3">never</span> : <NotTold />
  return (
    <time dateTime={at} title={formatFull(at)} className="text-ink-2">
      {formatDate(at)}
    </time>
  )
}

function NotTold() {
  return <Missing reason="the cluster has not told it" />
}
