import { Outlet } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { announcements } from '../stores/announcements.ts'
import { useStore } from '../lib/store.ts'
import { proofRequest } from '../stores/proof.ts'
import { ToastRegion } from './ToastRegion.tsx'

const ProofDialog = lazy(() => import('./ProofDialog.tsx').then((m) => ({ default: m.ProofDialog })))

export function Root() {
  const proof = useStore(proofRequest)
  return (
    <>
      <Outlet />
      <ToastRegion />
      <Suspense fallback={null}>{proof !== null && <ProofDialog request={proof} />}</Suspense>
      {/* Several at once are each said: one would otherwise take the place of the other before it was heard. */}
      <div role="status" aria-live="polite" aria-atomic="false" aria-relevant="additions" className="sr-only">
        {useStore(announcements).map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </>
  )
}
