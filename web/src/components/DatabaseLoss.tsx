import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { Copy } from '../ui/Copy.tsx'
import { inkOf, StateMark } from '../ui/StateMark.tsx'
import { useMembers } from './current.ts'
import {
  describeLoss,
  does,
  missingOf,
  recoveryOf,
  rolesAge,
  whatIsLost,
  whatWorks,
  type LostDatabase,
  type RecoveryStep,
} from './database-words.ts'
import { MemberLink } from './MemberLink.tsx'
import { isUsable } from './member-words.ts'
import { Since, Ticking } from './Ticking.tsx'
import { serverNow } from '../lib/clock.ts'

/** Everything about a lost cluster database: what is lost, what works, who is missing, and how to get it back. */
export function DatabaseLoss({ database }: { database: LostDatabase }) {
  const { tone, headline } = describeLoss(database, serverNow())
  const missing = missingOf(database)
  const answering = useMembers()
    .filter(isUsable)
    .map(({ name }) => name)
  const { steps, lastResort } = recoveryOf(database, answering)
  return (
    <section
      aria-label="Cluster database"
      className={`min-w-0 rounded-[10px] border bg-surface ${tone === 'bad' ? 'border-bad-line' : 'border-warning-line'}`}
    >
      <div role="alert" className={`flex items-start gap-3 px-3.5 py-2.5 ${inkOf[tone]}`}>
        <span className="mt-[3px]">
          <StateMark tone={tone} shape="alert" size={14} />
        </span>
        <p className="min-w-0">
          <strong className="mr-1.5">{headline}.</strong>
          <span aria-live="off">
            <Ticking describe={(now) => describeLoss(database, now).text} />
          </span>
        </p>
      </div>
      <dl className="grid gap-x-6 gap-y-3 border-t border-line px-3.5 py-3 md:grid-cols-3">
        <div>
          <dt className="font-strong">Lost</dt>
          <dd className="text-ink-2">{whatIsLost}</dd>
        </div>
        <div>
          <dt className="font-strong">Still works</dt>
          <dd className="text-ink-2">{whatWorks}</dd>
        </div>
        <div>
          <dt className="font-strong">Missing</dt>
          <dd className="text-ink-2">
            {database.holders.length === 0 && 'Which servers hold the database is not known here.'}
            {database.holders.length > 0 && missing.length === 0 && 'No server that holds the database.'}
            <ul>
              {missing.map((holder) => (
                <li key={holder.name}>
                  <MemberLink name={holder.name} />
                  {holder.leads && ' (leader)'} {does(holder.missing.symptom)}, no answer for{' '}
                  <Since at={holder.missing.since} />
                </li>
              ))}
            </ul>
            <span className="text-12 text-ink-3">{rolesAge(database)}</span>
          </dd>
        </div>
      </dl>
      {steps.length + lastResort.length > 0 && (
        <div className="flex flex-col border-t border-line py-1">
          {steps.length > 0 && (
            <Fold title="How to get it back" isOpen={database.cause === 'quorum'}>
              <Steps steps={steps} />
            </Fold>
          )}
          {lastResort.length > 0 && (
            <Fold title="Only if the missing servers never come back" isOpen={false}>
              <Steps steps={lastResort} isOrdered={lastResort.length > 1} />
            </Fold>
          )}
        </div>
      )}
    </section>
  )
}

function Fold({ title, isOpen, children }: { title: string; isOpen: boolean; children: ReactNode }) {
  return (
    <details open={isOpen} className="group">
      <summary className="flex cursor-pointer items-center gap-2 rounded-[10px] px-3.5 py-1.5 font-strong text-accent-text">
        <ChevronRight size={14} aria-hidden="true" className="group-open:rotate-90" />
        {title}
      </summary>
      <div className="px-3.5 pt-1 pb-3">{children}</div>
    </details>
  )
}

function Steps({ steps, isOrdered = false }: { steps: readonly RecoveryStep[]; isOrdered?: boolean }) {
  return (
    <ol className={`flex flex-col gap-3 ${isOrdered ? 'list-decimal pl-5' : ''}`}>
      {steps.map(({ text, on, commands }) => (
        <li key={text} className="min-w-0">
          <p>{text}</p>
          {commands.map((command) => (
            <div key={command} className="mt-1 flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
              <span className="text-12 text-ink-3">on {on}</span>
              <code className="min-w-0 rounded-md bg-sunken px-2 py-1 font-mono text-12 break-words text-ink-2">
                {command}
              </code>
              <Copy text={command} what={`the command for ${on}`} />
            </div>
          ))}
        </li>
      ))}
    </ol>
  )
}
