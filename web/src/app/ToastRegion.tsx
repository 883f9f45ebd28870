import { X } from 'lucide-react'
import { useEffect } from 'react'
import { useStore } from '../lib/store.ts'
import { dismissToast, toasts, type Toast } from '../stores/toasts.ts'
import { Button } from '../ui/Button.tsx'
import { StateMark } from '../ui/StateMark.tsx'

/** What happened outside the page's own flow. Good news leaves by itself, failures stay until they are closed. */
export function ToastRegion() {
  const shown = useStore(toasts)
  return (
    <section
      aria-label="Notifications"
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-24 z-50 flex w-[min(360px,calc(100vw-2rem))] flex-col gap-2"
    >
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  )
}

const shapes = { good: 'check', bad: 'cross', info: 'alert' } as const

function ToastCard({ toast }: { toast: Toast }) {
  const { id, tone } = toast
  useEffect(() => {
    if (tone === 'bad') return undefined
    const timer = setTimeout(() => dismissToast(id), 8000)
    return () => clearTimeout(timer)
  }, [id, tone])
  return (
    <div className="overlay-enter pointer-events-auto flex items-start gap-2.5 rounded-[10px] border border-line-strong bg-raised py-2.5 pr-2 pl-3.5 shadow-overlay">
      <span className="mt-1">
        <StateMark tone={tone} shape={shapes[tone]} size={13} />
      </span>
      <p className="min-w-0 flex-1">
        <strong>{toast.title}</strong>
        {toast.text !== undefined && <span className="block text-12 text-ink-2">{toast.text}</span>}
      </p>
      <Button tone="quiet" size="icon" label="Dismiss" onPress={() => dismissToast(id)}>
        <X size={14} />
      </Button>
    </div>
  )
}
