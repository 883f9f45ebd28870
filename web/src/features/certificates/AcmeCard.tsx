import type { AcmeOrder, AcmeView } from '@malleus/shared/api/acme.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { acmeQuery, useRenewAcme } from '../../api/acme.ts'
import { useMay, useMayChange } from '../../components/current.ts'
import { describeOld } from '../../components/freshness-words.ts'
import { ProblemDetail, ProblemNotice } from '../../components/ProblemNotice.tsx'
import { serverNow } from '../../lib/clock.ts'
import { formatAgo, formatDate, formatDuration, formatExpiry, formatFull } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Button } from '../../ui/Button.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { AcmeDialog } from './AcmeDialog.tsx'
import { directoryOf } from './acme-form.ts'

const looks = {
  on: { tone: 'good', shape: 'check', word: 'On' },
  off: { tone: 'info', shape: 'info', word: 'Off' },
  incomplete: { tone: 'warning', shape: 'alert', word: 'Not complete' },
  waiting: { tone: 'warning', shape: 'alert', word: 'Not issued yet' },
  late: { tone: 'bad', shape: 'alert', word: 'Late' },
  failing: { tone: 'bad', shape: 'cross', word: 'Failed' },
  hidden: { tone: 'unknown', shape: 'question', word: 'Hidden' },
  unknown: { tone: 'unknown', shape: 'question', word: 'Not known' },
} as const

/** Whether the servers renew their certificate by themselves, when they will, and how it went last. */
export function AcmeCard({ cluster }: { cluster: string }) {
  const read = useQuery(acmeQuery(cluster))
  const { may } = useMay('acme.read')
  const view = read.data
  if (!may) return null
  if (view === undefined) {
    return (
      <Card title="Renewal by itself (ACME)">
        {read.isError ? <ProblemNotice error={read.error} /> : <SkeletonRows rows={3} />}
      </Card>
    )
  }
  return <Known cluster={cluster} view={view} />
}

function Known({ cluster, view }: { cluster: string; view: AcmeView }) {
  const { may, because } = useMayChange('acme.configure')
  const [isOpen, setOpen] = useState(false)
  const { settings, state, order, freshness } = view
  const old = describeOld('This', freshness)
  const look = looks[state]
  const isUnderWay = order !== null && order.endedAt === null
  const reason = may ? (isUnderWay ? 'An order is under way.' : unreadable(view)) : because
  return (
    <Card
      title="Renewal by itself (ACME)"
      note={
        <Badge tone={look.tone} shape={look.shape}>
          {look.word}
        </Badge>
      }
      aside={
        <Button size="small" disabledReason={reason} opens="dialog" onPress={() => setOpen(true)}>
          {settings === null ? 'Set up' : 'Change'}
        </Button>
      }
    >
      {old !== undefined && <p className="border-b border-line px-(--pad-x) py-2 text-warning">{old}</p>}
      <p className="px-(--pad-x) py-2.5 text-ink-2">{view.sentence}</p>
      {order !== null && <Order order={order} />}
      {settings !== null && (
        <div className="border-t border-line">
          <Details cluster={cluster} view={view} settings={settings} reason={reason} />
        </div>
      )}
      {view.warnings.map((warning) => (
        <p key={warning} className="border-t border-line px-(--pad-x) py-2 text-12 text-warning">
          Incus warns: {warning}
        </p>
      ))}
      {isOpen && <AcmeDialog cluster={cluster} view={view} onClose={() => setOpen(false)} />}
    </Card>
  )
}

function unreadable({ state, sentence }: AcmeView): string | undefined {
  return state === 'hidden' || state === 'unknown' ? sentence : undefined
}

function Details(props: {
  cluster: string
  view: AcmeView
  settings: NonNullable<AcmeView['settings']>
  reason: string | undefined
}) {
  const { cluster, view, settings, reason } = props
  const { renewal, last, order } = view
  const now = serverNow()
  return (
    <Facts>
      <Fact name={settings.domains.length === 1 ? 'Domain' : 'Domains'}>
        <span className="font-mono text-12 wrap-anywhere">{settings.domains.join(', ')}</span>
      </Fact>
      <Fact name="Authority">
        <span className="wrap-anywhere">{directoryOf(settings.directory)?.name ?? settings.directory}</span>
      </Fact>
      <Fact name="Proof">
        {settings.challenge === 'HTTP-01'
          ? 'HTTP-01, at port 80 of the domain'
          : `DNS-01, through ${settings.provider === '' ? 'nobody yet' : settings.provider}`}
      </Fact>
      <Fact name="Next renewal">
        {renewal.at !== null && (
          <span className="mr-1.5 font-strong" title={formatFull(renewal.at)}>
            {Date.parse(renewal.at) > now ? `${formatDate(renewal.at)}, ${formatExpiry(renewal.at, now)}` : 'due'}
          </span>
        )}
        <span className="text-ink-3">{renewal.rule}</span>
      </Fact>
      {last !== null && (
        <Fact name="Last time">
          <span title={formatFull(last.at)}>
            {lastWords[last.outcome]} {formatAgo(last.at, now)}
            {last.server === null ? '' : `, on ${last.server}`}
          </span>
          {last.error !== null && last.error !== order?.error && (
            <p className="text-12 wrap-anywhere text-bad">{last.error}</p>
          )}
          {last.advice !== null && last.error !== order?.error && <Advice advice={last.advice} />}
        </Fact>
      )}
      <Fact name="Order now">
        <RenewButton cluster={cluster} reason={reason} />
      </Fact>
    </Facts>
  )
}

const lastWords = {
  running: 'Began',
  success: 'Looked, and went well',
  failure: 'Failed',
  unknown: 'Nobody saw how it ended,',
} as const

function RenewButton({ cluster, reason }: { cluster: string; reason: string | undefined }) {
  const renewing = useRenewAcme(cluster)
  // One intention, however often it is pressed; another one once it was answered.
  const [key, setKey] = useState(() => crypto.randomUUID())
  return (
    <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
      <Button
        size="small"
        disabledReason={reason ?? (renewing.isPending ? 'It is being asked for.' : undefined)}
        onPress={() => renewing.mutate(key, { onSuccess: () => setKey(crypto.randomUUID()) })}
      >
        Order a new certificate
      </Button>
      {renewing.isError && (
        <span role="alert" className="text-12 text-bad">
          {renewing.error.message} <ProblemDetail error={renewing.error} />
        </span>
      )}
    </span>
  )
}

const phases = {
  ordering: { tone: 'info', shape: 'info', word: 'Ordering' },
  looking: { tone: 'warning', shape: 'question', word: 'Looking' },
  spreading: { tone: 'info', shape: 'info', word: 'Issued' },
  done: { tone: 'good', shape: 'check', word: 'Done' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  unknown: { tone: 'warning', shape: 'question', word: 'Not known' },
} as const

/** An order that was asked for here: it goes on without this page, and is told to its end. */
function Order({ order }: { order: AcmeOrder }) {
  const look = phases[order.phase]
  const now = serverNow()
  const took = (order.endedAt === null ? now : Date.parse(order.endedAt)) - Date.parse(order.startedAt)
  return (
    <div role="status" className="border-t border-line px-(--pad-x) py-2.5">
      <Notice tone={look.tone} shape={look.shape} headline={`${look.word}.`}>
        {order.line}
        <span className="block text-12 text-ink-2">
          {order.by}, {formatAgo(order.startedAt, now)}, {order.endedAt === null ? 'for' : 'took'}{' '}
          {formatDuration(Math.max(0, took))}
        </span>
        {order.error !== null && <span className="block text-12 wrap-anywhere">{order.error}</span>}
      </Notice>
      {order.advice !== null && <Advice advice={order.advice} />}
    </div>
  )
}

function Advice({ advice }: { advice: NonNullable<AcmeOrder['advice']> }) {
  return (
    <div className="mt-1.5 text-12 text-ink-2">
      <p>{advice.text}</p>
      {advice.command !== null && (
        <p className="mt-1 flex min-w-0 items-center gap-1">
          <code className="rounded-md bg-sunken px-2 py-1 font-mono wrap-anywhere">{advice.command}</code>
          <Copy text={advice.command} what="the command" />
        </p>
      )}
    </div>
  )
}
