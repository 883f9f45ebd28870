import { useQuery } from '@tanstack/react-query'
import { Bell } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { alertListQuery } from '../api/alerts.ts'
import { cx } from '../lib/class-names.ts'
import { Button } from '../ui/Button.tsx'
import { alertTone, describeCount } from './alert-words.ts'

const AlertPanel = lazy(() => import('./AlertPanel.tsx').then((m) => ({ default: m.AlertPanel })))

/** The bell: how many certificates end within thirty days, and the list of them. */
export function AlertButton() {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  const alerts = useQuery(alertListQuery).data?.alerts
  const tone = alerts === undefined ? null : alertTone(alerts)
  return (
    <span className="relative">
      <Button
        ref={trigger}
        tone="quiet"
        size="icon"
        opens="dialog"
        expanded={open}
        label={describeCount(alerts)}
        onPress={() => setOpen(true)}
      >
        <Bell size={16} />
      </Button>
      {alerts !== undefined && tone !== null && (
        <span
          aria-hidden="true"
          className={cx(
            'pointer-events-none absolute -top-1 -right-1 grid h-4 min-w-4 place-items-center rounded-full px-1 text-11 font-strong tabular-nums text-surface',
            tone === 'bad' ? 'bg-bad' : 'bg-warning',
          )}
        >
          {alerts.length > 99 ? '99+' : alerts.length}
        </span>
      )}
      {open && (
        <Suspense fallback={null}>
          <AlertPanel trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </span>
  )
}
