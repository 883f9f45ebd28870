import type { SessionRow } from '@malleus/shared/api/sessions.ts'
import { useQuery } from '@tanstack/react-query'
import { ApiError } from '../../api/api-error.ts'
import { allSessionsQuery, mySessionsQuery, useEndSession } from '../../api/sessions.ts'
import { useMay } from '../../components/current.ts'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Ago } from '../../components/Ticking.tsx'
import { plural } from '../../lib/plural.ts'
import { formatFull } from '../../lib/time.ts'
import { showToast } from '../../stores/toasts.ts'
import { Chip } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { Table, type Column } from '../../ui/Table.tsx'

/** Where somebody is signed in: everybody sees their own, administrators everybody's. */
export function SessionsPage() {
  const { may } = useMay('session.list')
  return (
    <>
      <PageTitle title="Sessions" sentence="Where you are signed in. End what you do not know." />
      <SessionCard whose="mine" />
      {may && <SessionCard whose="all" />}
    </>
  )
}

function SessionCard({ whose }: { whose: 'mine' | 'all' }) {
  const mine = useQuery({ ...mySessionsQuery, enabled: whose === 'mine' })
  const all = useQuery({ ...allSessionsQuery, enabled: whose === 'all' })
  const { data, error } = whose === 'mine' ? mine : all
  const end = useEndSession(whose)
  const title = whose === 'mine' ? 'Your sessions' : 'Everybody’s sessions'
  const onEnd = (session: SessionRow) =>
    end.mutate(session.id, {
      onSuccess: () => showToast({ tone: 'good', title: `Ended the session ${wordsOf(session)}` }),
      onError: (problem) =>
        showToast({
          tone: 'bad',
          title: 'Could not end the session',
          text: problem instanceof ApiError ? problem.message : undefined,
        }),
    })
  return (
    <Card title={title} {...(data && { note: plural(data.sessions.length, 'session') })}>
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? (
        error === null && <SkeletonRows rows={2} />
      ) : (
        <Table
          label={title}
          columns={columnsOf(whose, onEnd)}
          rows={data.sessions}
          keyOf={({ id }) => id}
          empty={<p className="px-(--pad-x) py-4 text-ink-3">Nobody is signed in.</p>}
        />
      )}
    </Card>
  )
}

function columnsOf(whose: 'mine' | 'all', onEnd: (session: SessionRow) => void): readonly Column<SessionRow>[] {
  return [
    {
      id: 'who',
      title: whose === 'mine' ? 'Device' : 'Who',
      header: true,
      cell: (session) => (
        <span className="flex items-center gap-2 font-strong">
          {whose === 'mine' ? (session.device ?? 'A browser') : (session.name ?? 'Not known')}
          {session.current && <Chip>this one</Chip>}
        </span>
      ),
    },
    ...(whose === 'all'
      ? [{ id: 'device', title: 'Device', from: 'md' as const, cell: ({ device }: SessionRow) => device ?? '–' }]
      : []),
    {
      id: 'address',
      title: 'Address',
      hint: 'From where it was begun',
      from: 'sm',
      cell: ({ address }) => <span className="font-mono text-12">{address ?? '–'}</span>,
    },
    {
      id: 'since',
      title: 'Since',
      from: 'md',
      cell: ({ since }) => <time dateTime={since}>{formatFull(since)}</time>,
    },
    { id: 'used', title: 'Last used', from: 'sm', cell: ({ usedAt }) => <Ago at={usedAt} /> },
    {
      id: 'end',
      title: 'End it',
      last: true,
      align: 'end',
      cell: (session) =>
        session.current ? (
          <span className="text-12 text-ink-3">Sign out instead</span>
        ) : (
          <Button size="small" label={`End the session ${wordsOf(session)}`} onPress={() => onEnd(session)}>
            End
          </Button>
        ),
    },
  ]
}

function wordsOf({ name, device, address }: SessionRow): string {
  return [name === null ? '' : `of ${name}`, `on ${device ?? 'a browser'}`, address === null ? '' : `from ${address}`]
    .filter(Boolean)
    .join(' ')
}
