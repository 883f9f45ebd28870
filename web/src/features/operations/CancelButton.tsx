import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { lazy, Suspense, useState } from 'react'
import { useCluster, useMay, useMembers, useTarget } from '../../components/current.ts'
import { targetTrouble } from '../../components/target-words.ts'
import { useMemberList } from '../../components/current.ts'
import { Button } from '../../ui/Button.tsx'
import { whyNot } from './cancel-words.ts'

const CancelDialog = lazy(() => import('./CancelDialog.tsx').then((m) => ({ default: m.CancelDialog })))

/** Opens the question about cancelling an operation; disabled with the reason where that is not possible. */
export function CancelButton({ operation }: { operation: Operation }) {
  const [open, setOpen] = useState(false)
  const permission = useMay('operation.cancel')
  const health = useMembers().find(({ name }) => name === operation.location)?.health
  const target = useTarget()
  const list = useMemberList()
  const enters = targetTrouble(target, list?.members ?? [], list?.groups ?? [])
  const databaseAvailable = useCluster()?.databaseAvailable
  const reason = whyNot(operation, health, permission, databaseAvailable, enters)
  if (isFinished(operation) && !open) return null
  return (
    <>
      <Button opens="dialog" disabledReason={reason} onPress={() => setOpen(true)}>
        Cancel…
      </Button>
      {open && (
        <Suspense fallback={null}>
          <CancelDialog operation={operation} blockedBy={reason} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
