import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { keepSession, sessionQuery } from '../api/session.ts'
import { serverNow, useTicking } from '../lib/clock.ts'
import { lockSession, sessionLock } from '../stores/session-lock.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'
import { isLockDue, mayReport, warningAt } from './idle.ts'

/** Tells the console that the person is there, and warns two minutes before it would lock. */
export function IdleWarning() {
  const session = useQuery(sessionQuery).data
  const [reportedAt, setReportedAt] = useState(() => Date.now())
  const idleExpiresAt = session?.idleExpiresAt
  const expiresAt = session?.expiresAt

  useEffect(() => {
    const onInput = () => {
      if (!mayReport(reportedAt, Date.now()) || sessionLock.get() !== null) return
      setReportedAt(Date.now())
      // A report that does not arrive is made up for by the next input; a session that is gone locks the page by itself.
      keepSession().catch(() => undefined)
    }
    addEventListener('pointerdown', onInput, { passive: true })
    addEventListener('keydown', onInput, { passive: true })
    return () => {
      removeEventListener('pointerdown', onInput)
      removeEventListener('keydown', onInput)
    }
  }, [reportedAt])

  useEffect(() => {
    if (idleExpiresAt === undefined || expiresAt === undefined) return undefined
    const timer = setInterval(() => {
      if (!isLockDue({ idleExpiresAt, expiresAt }, serverNow())) return
      lockSession('Nobody used this page for a while, so the session ended.')
    }, 1000)
    return () => clearInterval(timer)
  }, [idleExpiresAt, expiresAt])

  const warning = useTicking((now) =>
    idleExpiresAt === undefined || expiresAt === undefined ? '' : warningAt({ idleExpiresAt, expiresAt }, now),
  )
  if (warning === '') return null
  return (
    <div className="fixed inset-x-3 bottom-14 z-30 mx-auto max-w-[640px] shadow-overlay">
      <Notice
        tone="warning"
        shape="quarter"
        alert
        headline="Are you still there?"
        actions={
          warning.startsWith('Without input') && (
            <Button size="small" onPress={() => void keepSession().catch(() => undefined)}>
              Stay signed in
            </Button>
          )
        }
      >
        {warning}
      </Notice>
    </div>
  )
}
