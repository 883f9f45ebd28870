import type { ReactNode } from 'react'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { getHealthHistory, Member } from '@malleus/shared/api/members.ts'
import { useCluster } from '../../components/current.ts'
import { describeStrip, stripOf } from '../../components/health-strip-words.ts'
import { answerText, explain, headlineOf, stateOf } from '../../components/member-words.ts'
import { Ago, Since, Ticking } from '../../components/Ticking.tsx'
import { formatClock } from '../../lib/time.ts'
import { failedWhile } from './probe-phases.ts'
import { Card } from '../../ui/Card.tsx'
import { HealthStrip } from '../../ui/HealthStrip.tsx'
import { inkOf, StateMark } from '../../ui/StateMark.tsx'

/** How it is now, in a sentence, and how it was for a day. */
export function HealthCard(props: { member: Member; history: ReplyOf<typeof getHealthHistory> | undefined }) {
  const { member, history } = props
  const { tone, shape } = stateOf(member)
  const { health } = member
  const threshold = useCluster()?.offlineThresholdSeconds ?? null
  const strip = stripOf(history, member.name)
  return (
    <Card title="Health" note="what this console measures">
      <p className="flex items-start gap-2.5 px-(--pad-x) pt-3">
        <span className="mt-1">
          <StateMark tone={tone} shape={shape} size={14} />
        </span>
        <span>
          <strong className={tone === 'good' ? '' : inkOf[tone]}>{headlineOf(member)}.</strong>{' '}
          <Ticking describe={(now) => explain(member, now, threshold)} />
        </span>
      </p>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-3 px-(--pad-x) py-3.5 sm:grid-cols-4">
        <Number name="Answer, median">
          <Ticking describe={(now) => answerText(member, now)} />
        </Number>
        <Number name="In this state for">
          <Since at={health.since} />
        </Number>
        <Number name="Last answer">{health.answeredAt === null ? 'never' : <Ago at={health.answeredAt} />}</Number>
        <Number name="Standing">{health.standing}</Number>
      </dl>
      {health.failure !== null && (
        <p className="px-(--pad-x) pb-3 text-12 text-ink-2">
          Last failure <Ago at={health.failure.at} />, {failedWhile[health.failure.phase]}: {health.failure.message}
        </p>
      )}
      {strip !== null && history !== undefined && (
        <div className="px-(--pad-x) pb-3">
          <HealthStrip wide pieces={strip} label={describeStrip(member.name, strip)} />
          <div className="mt-1 flex justify-between text-11 text-ink-3 tabular-nums">
            <span>{formatClock(history.from).slice(0, 5)} yesterday</span>
            <span>now</span>
          </div>
        </div>
      )}
    </Card>
  )
}

function Number({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-12 text-ink-3">{name}</dt>
      <dd className="text-14 font-strong tabular-nums">{children}</dd>
    </div>
  )
}
