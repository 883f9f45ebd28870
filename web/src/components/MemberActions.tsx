import type { Member } from '@malleus/shared/api/members.ts'
import { Ellipsis } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import type { ChangeKind } from './state-change.ts'

const MemberMenu = lazy(() => import('./MemberMenu.tsx').then((m) => ({ default: m.MemberMenu })))
const StateChangeDialog = lazy(() => import('./StateChangeDialog.tsx').then((m) => ({ default: m.StateChangeDialog })))

/** What can be done with a server, from its row. */
export function MemberActions({ member }: { member: Member }) {
  const [open, setOpen] = useState<'nothing' | 'menu' | ChangeKind>('nothing')
  const trigger = useRef<HTMLButtonElement>(null)
  // The menu closes after what was chosen in it has opened something else.
  const closeMenu = () => setOpen((now) => (now === 'menu' ? 'nothing' : now))
  return (
    <>
      <button
        ref={trigger}
        type="button"
        aria-label={`Actions for ${member.name}`}
        aria-haspopup="menu"
        aria-expanded={open === 'menu'}
        onClick={() => setOpen('menu')}
        className="grid size-6 cursor-default place-items-center rounded-md text-ink-3 hover:bg-line hover:text-ink"
      >
        <Ellipsis size={15} aria-hidden="true" />
      </button>
      {open !== 'nothing' && (
        <Suspense fallback={null}>
          {open === 'menu' ? (
            <MemberMenu trigger={trigger} member={member} onChoose={setOpen} onClose={closeMenu} />
          ) : (
            <StateChangeDialog member={member} action={open} onClose={() => setOpen('nothing')} />
          )}
        </Suspense>
      )}
    </>
  )
}
