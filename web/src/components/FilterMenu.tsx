import type { RefObject } from 'react'
import { Menu, MenuChoice, MenuChoices } from '../ui/Menu.tsx'
import type { FilterChoices } from './FilterButton.tsx'

/** React Aria takes no empty key for a choice. */
const any = '*'

/** One thing by which a table is narrowed. */
export function FilterMenu(props: FilterChoices & { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const { label, anyText, chosen, options, onChoose, trigger, onClose } = props
  return (
    <Menu trigger={trigger} label={label} placement="bottom start" onClose={onClose}>
      <MenuChoices
        title={label}
        mode="single"
        selected={[chosen ?? any]}
        onChange={([id]) => onChoose(id === any ? undefined : id)}
      >
        <MenuChoice id={any}>{anyText}</MenuChoice>
        {options.map(({ id, text }) => (
          <MenuChoice key={id} id={id}>
            {text}
          </MenuChoice>
        ))}
      </MenuChoices>
    </Menu>
  )
}
