import type { AlertSinkState, CertificateAlert } from '@malleus/shared/api/alerts.ts'
import { certificateOf } from '@malleus/shared/domain/certificate-place.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { RefObject } from 'react'
import { alertListQuery, useTestAlertSink } from '../api/alerts.ts'
import { ProblemNotice } from '../components/ProblemNotice.tsx'
import { Ticking } from '../components/Ticking.tsx'
import { formatExpiry, formatFull, formatMs } from '../lib/time.ts'
import { Button } from '../ui/Button.tsx'
import { Popover } from '../ui/Popover.tsx'
import { StateMark } from '../ui/StateMark.tsx'
import { describeSink, elsewhere, isUrgent } from './alert-words.ts'

/** Every certificate that ends, the soonest first, with the page that mends it; and who else is told. */
export function AlertPanel({ trigger, onClose }: { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const { data, error } = useQuery(alertListQuery)
  return (
    <Popover
      trigger={trigger}
      label="Certificates that end"
      onClose={onClose}
      className="max-h-[80vh] w-[420px] max-w-[calc(100vw-24px)]"
    >
      <h2 className="px-4 pt-3 text-14">Certificates that end</h2>
      {error !== null && (
        <div className="px-4 py-2">
          <ProblemNotice error={error} />
        </div>
      )}
      {data !== undefined && (
        <>
          {data.alerts.length === 0 ? (
            <p className="px-4 py-3 text-ink-2">None within 30 days, of {data.watched} that are watched.</p>
          ) : (
            <ul className="divide-y divide-line">
              {data.alerts.map((alert) => (
                <AlertRow key={`${alert.cluster} ${alert.fingerprint}`} alert={alert} onLeave={onClose} />
              ))}
            </ul>
          )}
          {data.sinks !== null && <Sinks sinks={data.sinks} />}
        </>
      )}
    </Popover>
  )
}

function AlertRow({ alert, onLeave }: { alert: CertificateAlert; onLeave: () => void }) {
  const urgent = isUrgent(alert)
  const other = elsewhere(alert)
  return (
    <li className="flex items-start gap-2.5 px-4 py-2.5">
      <span className="mt-[3px]">
        <StateMark tone={urgent ? 'bad' : 'warning'} shape={urgent ? 'cross' : 'alert'} size={14} />
      </span>
      <div className="min-w-0">
        <p className="break-words">{certificateOf(alert)}</p>
        <p className="text-ink-2">
          <time dateTime={alert.expiresAt} title={formatFull(alert.expiresAt)}>
            <Ticking describe={(now) => endWords(alert.expiresAt, now)} />
          </time>
          {other !== null && ` ${other}`}
        </p>
        <PageLink alert={alert} onLeave={onLeave} />
      </div>
    </li>
  )
}

function endWords(expiresAt: string, now: number): string {
  const words = formatExpiry(expiresAt, now)
  return words.startsWith('in ') ? `Ends ${words}.` : `It ${words}.`
}

function PageLink({ alert: { kind, cluster }, onLeave }: { alert: CertificateAlert; onLeave: () => void }) {
  if (cluster === null) return null
  const params = { cluster }
  const look = { params, onClick: onLeave, className: 'rounded-sm text-accent-text hover:underline' }
  switch (kind) {
    case 'cluster':
      return (
        <Link to="/clusters/$cluster/certificates" {...look}>
          Open Certificates
        </Link>
      )
    case 'identity':
    case 'trust-entry':
      return (
        <Link to="/clusters/$cluster/trust" {...look}>
          Open Trust
        </Link>
      )
    case 'access-path':
      return (
        <Link to="/clusters/$cluster/access-paths" {...look}>
          Open Access paths
        </Link>
      )
    case 'console':
    case 'provider':
      return null
  }
}

const sinkNames = { webhook: 'Webhook', email: 'Mail' } as const

function Sinks({ sinks }: { sinks: readonly AlertSinkState[] }) {
  return (
    <section aria-label="Who is told" className="border-t border-line px-4 pt-2.5 pb-3">
      <h3 className="text-12 text-ink-3">Who is told, at 30, 14, 7, 3 and 1 days</h3>
      {sinks.length === 0 ? (
        <p className="mt-1 text-ink-2">
          Nobody but who looks here. Name a webhook or mail under <code className="font-mono text-12">alerts:</code> in
          malleus.yaml.
        </p>
      ) : (
        sinks.map((sink) => <Sink key={sink.sink} state={sink} />)
      )}
    </section>
  )
}

function Sink({ state }: { state: AlertSinkState }) {
  const testing = useTestAlertSink()
  const result = testing.data
  return (
    <div className="mt-1.5">
      <div className="flex items-center gap-2">
        <p className="min-w-0 break-words">
          {sinkNames[state.sink]} to {state.to}
        </p>
        <Button
          size="small"
          className="ml-auto"
          disabledReason={testing.isPending ? 'A test is under way.' : undefined}
          onPress={() => testing.mutate(state.sink)}
        >
          Send a test
        </Button>
      </div>
      <p className="text-12 break-words text-ink-2">
        <Ticking describe={(now) => describeSink(state, now)} />
      </p>
      <div role="status" className="text-12 break-words">
        {testing.isPending && <p className="text-ink-2">Sending…</p>}
        {result !== undefined && (
          <p className="flex items-start gap-1.5">
            <span className="mt-[2px]">
              <StateMark tone={result.delivered ? 'good' : 'bad'} shape={result.delivered ? 'check' : 'cross'} />
            </span>
            <span className="min-w-0">
              {result.delivered ? 'Delivered' : 'Not delivered'} after {formatMs(result.ms)}. {result.said}
            </span>
          </p>
        )}
      </div>
      {testing.error !== null && <ProblemNotice error={testing.error} />}
    </div>
  )
}
