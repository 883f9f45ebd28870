import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import { useState } from 'react'
import { cx } from '../../lib/class-names.ts'
import { formatClock, formatFull, formatMs } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { failedAlike, phaseBars, phaseName, totalMs } from './probe-phases.ts'

const kinds = {
  light: 'GET /1.0 on a warm connection',
  cold: 'on a new connection, with the certificate',
  deep: 'through the cluster database',
} as const

/** The questions behind what is said of its health, each with how long every phase took. */
export function ProbesCard({ probes }: { probes: readonly ProbeRecord[] | undefined }) {
  const [all, setAll] = useState(false)
  const shown = probes?.slice(0, all ? probes.length : 8) ?? []
  // Where something failed, what is said of it needs the room.
  const failing = shown.some(({ failure }) => failure !== null)
  return (
    <Card id="probes" title="Probes" note="newest first" aside={<Legend />}>
      {probes === undefined ? (
        <SkeletonRows rows={6} />
      ) : probes.length === 0 ? (
        <p className="px-(--pad-x) py-3 text-ink-3">No probe has ended yet.</p>
      ) : (
        <>
          <table className="relative w-full text-left" aria-label="Probes">
            <thead className="sr-only">
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Kind</th>
                <th scope="col" className="max-sm:hidden">
                  Phases
                </th>
                <th scope="col">Answer</th>
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {shown.map((probe, index) => (
                <ProbeRow key={`${probe.at} ${probe.kind}`} probe={probe} above={shown[index - 1]} failing={failing} />
              ))}
            </tbody>
          </table>
          {probes.length > 8 && (
            <div className="border-t border-line px-2 py-1">
              <Button tone="quiet" size="small" expanded={all} onPress={() => setAll(!all)}>
                {all ? 'Show fewer' : `Show all ${probes.length}`}
              </Button>
            </div>
          )}
        </>
      )}
    </Card>
  )
}

function ProbeRow(props: { probe: ProbeRecord; above: ProbeRecord | undefined; failing: boolean }) {
  const { probe, above, failing } = props
  const { at, kind, failure } = probe
  const total = totalMs(probe)
  return (
    <tr className="hover:bg-hover">
      <td className="h-8 w-px pl-(--pad-x) whitespace-nowrap text-ink-3 tabular-nums">
        <time dateTime={at} title={formatFull(at)}>
          {formatClock(at)}
        </time>
      </td>
      <td className="w-px px-3 whitespace-nowrap" title={kinds[kind]}>
        {kind}
      </td>
      <td className={cx('px-1 max-sm:hidden', failing && 'w-1/5')}>
        <Phases probe={probe} />
      </td>
      {failure === null ? (
        <td className="w-px py-1 pr-(--pad-x) pl-3 text-right whitespace-nowrap tabular-nums">
          {total !== null && formatMs(total)}
        </td>
      ) : (
        <td className="py-1 pr-(--pad-x) pl-3 text-bad">
          <Failure {...failure} again={failedAlike(probe, above)} />
        </td>
      )}
    </tr>
  )
}

/** What is the same as in the row above is not told again, only pointed to. */
function Failure({ phase, message, again }: { phase: string; message: string; again: boolean }) {
  return (
    <span className="flex items-start gap-1.5">
      <span className="mt-1">
        <StateMark tone="bad" shape="cross" />
      </span>
      <span className="min-w-0">
        <strong>{phaseName(phase)}:</strong>{' '}
        {again ? (
          <span title={message}>
            the same<span className="sr-only">, {message}</span>
          </span>
        ) : (
          message
        )}
      </span>
    </span>
  )
}

const fills = { connect: 'fill-ink-3', tls: 'fill-info-mark', answer: 'fill-accent' } as const

function Phases({ probe }: { probe: ProbeRecord }) {
  const bars = phaseBars(probe)
  if (bars.length === 0) return null
  const label = bars.map(({ name, ms }) => `${name} ${formatMs(ms)}`).join(', ')
  return (
    <svg role="img" aria-label={label} viewBox="0 0 100 8" preserveAspectRatio="none" className="block h-2 w-full">
      <title>{label}</title>
      {bars.map(({ phase, from, width }) => (
        <rect key={phase} x={from} y="0" width={width} height="8" className={fills[phase]} />
      ))}
    </svg>
  )
}

function Legend() {
  const dots = [
    ['bg-ink-3', 'connect'],
    ['bg-info-mark', 'TLS'],
    ['bg-accent', 'first byte'],
  ] as const
  return (
    <span className="flex gap-3 text-11 text-ink-3">
      {dots.map(([colour, text]) => (
        <span key={text} className="inline-flex items-center gap-1.5">
          <span aria-hidden="true" className={`h-2 w-2 rounded-xs ${colour}`} />
          {text}
        </span>
      ))}
    </span>
  )
}
