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
      headline="Your target cannot be used."
      actions={<Button onPress={anyServer}>Use any responsive server</Button>}
    >
      {trouble}. Requests enter only through the target, so details are what was last known and changes fail at once.
      The list of servers still comes through any that answers.
    </Notice>
  )
}
