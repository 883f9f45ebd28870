import { formatFull } from '../../lib/time.ts'
import { cx } from '../../lib/class-names.ts'
import { Since } from '../../components/Ticking.tsx'
import type { InstanceState } from './instance-state.ts'

const colours: Readonly<Record<InstanceState['look'], string>> = {
  good: 'bg-good-soft text-good',
  quiet: 'bg-unknown-soft text-unknown',
  info: 'bg-info-soft text-info',
  bad: 'bg-bad-soft text-bad',
  unknown: 'bg-unknown-soft text-unknown hatched-soft',
}

/** A state: colour, shape and word together; where it is only the last known, how old that is. */
export function InstanceBadge({ state }: { state: InstanceState }) {
  const { look, shape, word, asOf, because } = state
  return (
    <span className="inline-flex items-center gap-1.5" title={titleOf(state)}>
      <span
        className={cx(
          'inline-flex h-[22px] items-center gap-1.5 rounded-full pr-2.5 pl-2 text-12 font-strong whitespace-nowrap',
          colours[look],
        )}
      >
        <Shape shape={shape} />
        {word}
      </span>
      {asOf !== null && (
        <span className="text-11 text-ink-3">
          <span className="sr-only">last known, </span>
          <Since at={asOf} />
          <span className="sr-only"> old</span>
        </span>
      )}
      {asOf === null && because !== null && <span className="sr-only">: {because}</span>}
    </span>
  )
}

function titleOf({ asOf, because }: InstanceState): string | undefined {
  if (because === null) return undefined
  return asOf === null ? because : `As of ${formatFull(asOf)}. ${because}`
}

const filled: Partial<Record<InstanceState['shape'], string>> = {
  play: 'M3.5 2v8l6.5-4z',
  stop: 'M2.5 2.5h7v7h-7z',
  pause: 'M3 2h2.2v8H3zM6.8 2H9v8H6.8z',
}
const drawn: Partial<Record<InstanceState['shape'], string>> = {
  cross: 'M3 3l6 6M9 3 3 9',
  turning: 'M6 1.6a4.4 4.4 0 1 0 4.4 4.4',
  question: 'M4 4.2C4 2.9 4.9 2.2 6 2.2s2 .8 2 1.9c0 1.3-2 1.4-2 3M6 9.7v.1',
}

function Shape({ shape }: { shape: InstanceState['shape'] }) {
  return (
    <svg aria-hidden="true" width={12} height={12} viewBox="0 0 12 12" className="shrink-0">
      <path d={filled[shape]} fill="currentColor" />
      <path d={drawn[shape]} fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" />
    </svg>
  )
}
