import type { RefObject } from 'react'
import { setPreferences, type ColumnPreference } from '../stores/preferences.ts'
import { Menu, MenuChoice, MenuChoices, MenuItem } from '../ui/Menu.tsx'

export interface ColumnChoices {
  /** Where the choice is kept. */
  readonly preference: ColumnPreference
  /** Those that may be left out. */
  readonly offered: readonly { readonly id: string; readonly title: string }[]
  readonly shown: readonly string[]
}

/** Which columns a table has. */
export function ColumnMenu(props: ColumnChoices & { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const { preference, offered, shown, trigger, onClose } = props
  return (
    <Menu trigger={trigger} label="Columns" onClose={onClose}>
      <MenuChoices
        title="Columns of this table"
        mode="multiple"
        selected={shown}
        onChange={(selected) => setPreferences({ [preference]: selected })}
      >
        {offered.map(({ id, title }) => (
          <MenuChoice key={id} id={id}>
            {title}
          </MenuChoice>
        ))}
      </MenuChoices>
      <MenuItem id="reset" text="As at first" onAction={() => setPreferences({ [preference]: null })}>
        As at first
      </MenuItem>
    </Menu>
  )
}
