import { Columns3 } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { Button } from '../ui/Button.tsx'
import type { ColumnChoices } from './ColumnMenu.tsx'

const ColumnMenu = lazy(() => import('./ColumnMenu.tsx').then((m) => ({ default: m.ColumnMenu })))

/** Opens the choice of a table's columns. */
export function ColumnsButton(choices: ColumnChoices) {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  return (
    <>
      <Button ref={trigger} opens="menu" expanded={open} onPress={() => setOpen(true)}>
        <Columns3 size={14} aria-hidden="true" />
        Columns
      </Button>
      {open && (
        <Suspense fallback={null}>
          <ColumnMenu {...choices} trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
