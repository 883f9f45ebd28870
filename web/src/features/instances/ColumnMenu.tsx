import type { RefObject } from 'react'
import { useStore } from '../../lib/store.ts'
import { preferences, setPreferences } from '../../stores/preferences.ts'
import { Menu, MenuChoice, MenuChoices, MenuItem } from '../../ui/Menu.tsx'
import { instanceColumns } from './instance-columns.tsx'
import { allColumns, fixedColumns, shownColumns } from './instance-list.ts'

const columns = instanceColumns(new Map())

export function ColumnMenu({ trigger, onClose }: { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const chosen = useStore(preferences).instanceColumns
  return (
    <Menu trigger={trigger} label="Columns" onClose={onClose}>
      <MenuChoices
        title="Columns of this table"
        mode="multiple"
        selected={shownColumns(chosen)}
        onChange={(selected) => setPreferences({ instanceColumns: selected })}
      >
        {allColumns
          .filter((id) => !fixedColumns.includes(id))
          .map((id) => (
            <MenuChoice key={id} id={id}>
              {columns[id].title}
            </MenuChoice>
          ))}
      </MenuChoices>
      <MenuItem id="reset" text="As at first" onAction={() => setPreferences({ instanceColumns: null })}>
        As at first
      </MenuItem>
    </Menu>
  )
}
