import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { HistoryField } from '@malleus/shared/domain/history-filter.ts'
import { joinRecords, wayInWords } from '@malleus/shared/domain/join-records.ts'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { historyRecordQuery, type HistoryRecordView } from '../../api/history.ts'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { formatClock, formatFull, formatMs } from '../../lib/time.ts'
import { Chip } from '../../ui/Badge.tsx'
import { Fact, Facts } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { SidePanel } from '../../ui/SidePanel.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { StateMark } from '../../ui/StateMark.tsx'
import { AskButton } from './history-columns.tsx'
import { placeOf } from './history-rows.ts'
import { cameBy, sentenceOf, whoDid } from './history-sentence.ts'

interface PanelProps {
  readonly onAsk: (field: HistoryField, value: string) => void
  readonly onOpen: (place: string) => void
}

/** All that is known of one record, and how it is known to be whole. */
export function HistoryPanel(props: PanelProps & { cluster: string; place: string; onClose: () => void }) {
  const { cluster, place, onClose } = props
  const { data, error } = useQuery(historyRecordQuery(cluster, place))
  return (
    <SidePanel
      title={data === undefined ? 'A record' : `Record ${data.position.toLocaleString('en')}`}
      onClose={onClose}
    >
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? error === null && <SkeletonRows rows={8} /> : <Evidence view={data} {...props} />}
    </SidePanel>
  )
}

function Evidence({ view, onAsk, onOpen }: PanelProps & { view: HistoryRecordView }) {
  const { record, text, parts, around } = view
  const { actor, src, req, up, out, during } = record
  const story = joinRecords(parts)[0]
  const others = parts.filter((part) => placeOf(part) !== placeOf(record))
  return (
    <>
      <p className="px-(--pad-x) py-3">
        <strong>{whoDid(record)}</strong> {sentenceOf(record)}{' '}
        {record.object !== null && <code className="font-mono text-12">{record.object}</code>}
      </p>
      <Facts>
        <Fact name="When">
          <Instant at={record.ts} />
        </Fact>
        {during !== undefined && (
          <Fact name="Missing">
            <Instant at={during.from} /> to <Instant at={during.to} />
          </Fact>
        )}
        <Fact name="Why">{decisionWords(decidedIn(record, parts))}</Fact>
        {story !== undefined && during === undefined && <Fact name="How">{wayInWords(story.way)}</Fact>}
        {actor !== null && (
          <Fact name="Who">
            <span className="flex flex-wrap items-center gap-x-2">
              <AskButton field="who" value={actor.name} onAsk={onAsk}>
                {whoDid(record)}
              </AskButton>
              <Chip>{cameBy(record) ?? ''}</Chip>
              {actor.roles.length > 0 && <span className="text-ink-3">{actor.roles.join(', ')}</span>}
              {actor.session !== null && (
                <span className="text-ink-3" title="The same session has the same mark">
                  session <code className="font-mono text-12">{actor.session.slice(0, 8)}</code>
                </span>
              )}
            </span>
          </Fact>
        )}
        {src.ip !== null && (
          <Fact name="From">
            <AskButton field="from" value={src.ip} onAsk={onAsk} isMono>
              {src.ip}
            </AskButton>
            {src.via !== null && <span className="text-ink-3"> through {src.via}</span>}
          </Fact>
        )}
        {req !== null && (req.path !== '' || req.method !== '') && (
          <Fact name="Request">
            <code className="font-mono text-12 wrap-anywhere">
              {req.method} {req.path}
              {req.query.length > 0 && `?${req.query.join('&')}`}
            </code>
            {req.count > 1 && <span className="text-ink-3"> · {req.count} times</span>}
            {req.project !== null && <span className="block text-ink-3">in project {req.project}</span>}
            {req.changed.length > 0 && <span className="block text-ink-3">said {req.changed.join(', ')}</span>}
          </Fact>
        )}
        {up !== null && up.via !== null && (
          <Fact name="On">
            <AskButton field="on" value={up.via} onAsk={onAsk}>
              {up.via}
            </AskButton>
            {up.attempts > 1 && <span className="text-ink-3"> · {up.attempts} attempts</span>}
            {up.hedged && <span className="text-ink-3"> · asked two servers</span>}
          </Fact>
        )}
        {out !== null && (
          <Fact name="Answer">
            {[
              out.status,
              out.code,
              out.opStatus === null ? null : `operation ${out.opStatus}`,
              out.ms === null ? null : formatMs(out.ms),
            ]
              .filter((part) => part !== null)
              .join(' · ') || '–'}
          </Fact>
        )}
      </Facts>
      {others.length > 0 && (
        <Section title="Belongs to the same deed">
          <RecordList records={others} onOpen={onOpen} />
        </Section>
      )}
      {around.length > 0 && (
        <Section
          title={actor?.session === null ? 'What they did before and after' : 'The same session before and after'}
        >
          <RecordList records={around} onOpen={onOpen} />
        </Section>
      )}
      <Section title="Chain">
        <ChainFacts view={view} />
      </Section>
      <Section title="As it is kept" aside={<Copy text={text} what="this record" />}>
        <pre className="px-(--pad-x) pt-1 pb-3 font-mono text-12 whitespace-pre-wrap wrap-anywhere text-ink-2">
          {JSON.stringify(JSON.parse(text), null, 2)}
        </pre>
      </Section>
    </>
  )
}

function ChainFacts({ view: { record, checks, verification } }: { view: HistoryRecordView }) {
  const held = checks.content && checks.before && checks.after !== false
  return (
    <div className="px-(--pad-x) pb-3">
      <p className="flex items-center gap-2">
        <StateMark tone={held ? 'good' : 'bad'} shape={held ? 'check' : 'cross'} />
        {chainWords(checks)}
      </p>
      <dl className="mt-2 grid grid-cols-[72px_minmax(0,1fr)] gap-y-1 text-12">
        <dt className="text-ink-3">chain</dt>
        <dd className="truncate font-mono" title={record.chain}>
          {record.chain.slice(0, 8)} · {record.seq}
        </dd>
        <dt className="text-ink-3">before</dt>
        <dd className="truncate font-mono" title={record.prev}>
          {shortHash(record.prev)}
        </dd>
        <dt className="text-ink-3">hash</dt>
        <dd className="truncate font-mono" title={record.hash}>
          {shortHash(record.hash)}
        </dd>
      </dl>
      {verification !== null && (
        <p className="mt-2 text-12 text-ink-3">
          {verification.ok ? 'The whole history held' : (verification.message ?? 'The history did not hold')} when it
          was last checked, {formatFull(verification.at)}.
        </p>
      )}
    </div>
  )
}

function chainWords({ content, before, after }: HistoryRecordView['checks']): string {
  if (!content) return 'This record has been changed: it does not have the hash that it says.'
  if (!before) return 'The record before it was changed or taken away.'
  if (after === false) return 'The record after it does not follow it: something was changed or put in.'
  return after === null
    ? 'Its content and the record before it hold. It is the last of its chain so far.'
    : 'Its content, the record before it and the one after it hold.'
}

function shortHash(hash: string): string {
  return `${hash.slice(0, 8)}…${hash.slice(-4)}`
}

/** What was found out later does not say again who allowed it. */
function decidedIn(record: AuditRecord, parts: readonly AuditRecord[]): AuditRecord {
  if (record.source !== 'console' || record.decision.rule !== '') return record
  return parts.find(({ source, decision }) => source === 'console' && decision.rule !== '') ?? record
}

function decisionWords({ decision, during, source }: AuditRecord): string {
  const { allow, rule } = decision
  if (during !== undefined) return rule
  if (source === 'incus') return allow ? 'Incus did it; this console only heard of it.' : 'Incus turned it away.'
  if (rule.startsWith('role:')) return `The role ${rule.slice(5)} may do this.`
  return rulesInWords[rule] ?? (allow ? 'Allowed.' : `Not allowed: ${rule}.`)
}

const rulesInWords: Readonly<Record<string, string>> = {
  'default-deny': 'No role of theirs allows it.',
  'not-visible': 'They have no role in this cluster, so it does not exist for them.',
  'no-role': 'They have no role at all.',
  'own-session': 'It concerns only themselves.',
  'step-up': 'They had to prove again who they are.',
  not_signed_in: 'Nobody was signed in.',
  session_expired: 'The session had ended.',
  cross_site: 'It came from another site.',
  too_many_requests: 'There were too many requests.',
  '': 'Malleus did it by itself.',
}

function RecordList({ records, onOpen }: { records: readonly AuditRecord[]; onOpen: (place: string) => void }) {
  return (
    <ul className="pb-2">
      {records.map((record) => (
        <li key={placeOf(record)}>
          <button
            type="button"
            onClick={() => onOpen(placeOf(record))}
            className="grid w-full cursor-default grid-cols-[64px_minmax(0,1fr)] gap-x-2 px-(--pad-x) py-1 text-left hover:bg-hover"
          >
            <time dateTime={record.ts} title={formatFull(record.ts)} className="text-ink-3 tabular-nums">
              {formatClock(record.ts)}
            </time>
            <span className="wrap-anywhere">
              {record.source === 'incus' && (
                <span className="text-ink-3">Incus{record.up?.via ? ` on ${record.up.via}` : ''}: </span>
              )}
              {sentenceOf(record)}{' '}
              {record.object !== null && <code className="font-mono text-12">{record.object}</code>}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="border-t border-line">
      <div className="flex min-h-9 items-center px-(--pad-x) pt-1.5">
        <h3 className="text-12 text-ink-3">{title}</h3>
        {aside !== undefined && <span className="ml-auto">{aside}</span>}
      </div>
      {children}
    </section>
  )
}

function Instant({ at }: { at: string }) {
  return (
    <time dateTime={at} className="tabular-nums">
      {formatFull(at)}.{at.slice(20, 23)}
    </time>
  )
}
