import { useNavigate } from '@tanstack/react-router'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'
import { useMemberList, useTarget } from './current.ts'
import { targetTrouble } from './target-words.ts'

/** While the chosen target does not answer: says so at once, and offers what works. */
export function TargetNotice() {
  const navigate = useNavigate()
  const target = useTarget()
  const list = useMemberList()
  const trouble = targetTrouble(target, list?.members ?? [], list?.groups ?? [])
  if (trouble === undefined) return null
  const anyServer = () => void navigate({ to: '.', search: (search) => ({ ...search, target: undefined }) })
  return (
    <Notice
      tone="bad"
      shape="cross"
      alert
      headline={`${trouble}.`}
      actions={<Button onPress={anyServer}>Use any responsive server</Button>}
    >
      Requests enter only through the target that you chose, so what needs it waits for nothing and fails at once.
    </Notice>
  )
}
