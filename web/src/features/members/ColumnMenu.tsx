import type { RefObject } from 'react'
import { memberColumns } from '../../components/member-columns.tsx'
import { useStore } from '../../lib/store.ts'
import { preferences, setPreferences } from '../../stores/preferences.ts'
import { Menu, MenuChoice, MenuChoices, MenuItem } from '../../ui/Menu.tsx'
import { allColumns, fixedColumns, shownColumns } from './member-list.ts'

export function ColumnMenu({ trigger, onClose }: { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const chosen = useStore(preferences).memberColumns
  return (
    <Menu trigger={trigger} label="Columns" onClose={onClose}>
      <MenuChoices
        title="Columns of this table"
        mode="multiple"
        selected={shownColumns(chosen)}
        onChange={(columns) => setPreferences({ memberColumns: columns })}
      >
        {allColumns
          .filter((id) => !fixedColumns.includes(id))
          .map((id) => (
            <MenuChoice key={id} id={id}>
              {memberColumns[id].title}
            </MenuChoice>
          ))}
      </MenuChoices>
      <MenuItem id="reset" text="As at first" onAction={() => setPreferences({ memberColumns: null })}>
        As at first
      </MenuItem>
    </Menu>
  )
}
