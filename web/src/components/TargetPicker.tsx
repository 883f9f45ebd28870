import { ChevronDown } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { cx } from '../lib/class-names.ts'
import { useMemberList, useTarget } from './current.ts'
import { targetLabel, targetTone, targetTrouble } from './target-words.ts'

const TargetMenu = lazy(() => import('./TargetMenu.tsx').then((m) => ({ default: m.TargetMenu })))

const dots = { good: 'bg-good-mark', bad: 'bg-bad-mark', unknown: 'bg-unknown-mark' } as const

/** Through which server requests enter the cluster; the choice is in the link. */
export function TargetPicker() {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  const target = useTarget()
  const list = useMemberList()
  const trouble = targetTrouble(target, list?.members ?? [], list?.groups ?? [])
  const label = targetLabel(target)
  return (
    <>
      <button
        ref={trigger}
        type="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className="flex h-8 min-w-0 cursor-default items-center gap-2 rounded-[7px] border border-line-strong bg-raised px-2.5 hover:bg-hover"
      >
        <span
          aria-hidden="true"
          className={cx('size-2 shrink-0 rounded-full', dots[targetTone(target, list?.members, list?.groups)])}
        />
        <span className="text-ink-2 max-sm:sr-only">Target</span>
        <span className="truncate font-strong">
          {target.kind === 'any' ? (
            <>
              Any<span className="max-sm:sr-only"> responsive server</span>
            </>
          ) : (
            label
          )}
        </span>
        {trouble !== undefined && <span className="sr-only">, {trouble}</span>}
        <ChevronDown size={14} aria-hidden="true" className="shrink-0 text-ink-3" />
      </button>
      {open && (
        <Suspense fallback={null}>
          <TargetMenu trigger={trigger} list={list} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
