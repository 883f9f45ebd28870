import type { Member } from '@malleus/shared/api/members.ts'
import { lazy, Suspense, useState } from 'react'
import { Button, type ButtonProps } from '../ui/Button.tsx'
import { useCluster, useMay } from './current.ts'
import { whyNot, type ChangeKind } from './state-change.ts'

const StateChangeDialog = lazy(() => import('./StateChangeDialog.tsx').then((m) => ({ default: m.StateChangeDialog })))

/** Opens the question about evacuating or restoring a server; disabled with the reason where that is not possible. */
export function StateChangeButton(props: { member: Member; action: ChangeKind } & Pick<ButtonProps, 'tone' | 'size'>) {
  const { member, action, ...look } = props
  const [open, setOpen] = useState(false)
  const reason = useWhyNot(member, action)
  return (
    <>
      <Button {...look} opens="dialog" disabledReason={reason} onPress={() => setOpen(true)}>
        {action === 'evacuate' ? 'Evacuate…' : 'Restore…'}
      </Button>
      {open && (
        <Suspense fallback={null}>
          <StateChangeDialog member={member} action={action} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

export function useWhyNot(member: Member, action: ChangeKind): string | undefined {
  const permission = useMay(action === 'evacuate' ? 'member.evacuate' : 'member.restore')
  return whyNot(action, member, useCluster(), permission)
}

/** Of the two, the one that makes sense now. */
export function fittingAction(member: Member): ChangeKind {
  const status = member.reported.value?.status
  return status === 'Evacuated' || status === 'Restoring' ? 'restore' : 'evacuate'
}
