import type { Member } from '@malleus/shared/api/members.ts'
import { useNavigate } from '@tanstack/react-router'
import type { RefObject } from 'react'
import { Menu, MenuItem } from '../ui/Menu.tsx'
import { useClusterName } from './current.ts'
import type { ChangeKind } from './state-change.ts'
import { useWhyNot } from './StateChangeButton.tsx'

export function MemberMenu(props: {
  trigger: RefObject<HTMLElement | null>
  member: Member
  onChoose: (action: ChangeKind) => void
  onClose: () => void
}) {
  const { trigger, member, onChoose, onClose } = props
  const navigate = useNavigate()
  const cluster = useClusterName()
  const notEvacuate = useWhyNot(member, 'evacuate')
  const notRestore = useWhyNot(member, 'restore')
  const open = (hash?: string) =>
    void navigate({
      to: '/clusters/$cluster/members/$member',
      params: { cluster, member: member.name },
      ...(hash !== undefined && { hash }),
    })
  return (
    <Menu trigger={trigger} label={`Actions for ${member.name}`} onClose={onClose}>
      <MenuItem id="open" text={`Open ${member.name}`} onAction={() => open()}>
        Open
      </MenuItem>
      <MenuItem id="probes" text="See probes" onAction={() => open('probes')}>
        See probes
      </MenuItem>
      <MenuItem
        id="target"
        text="Use as target"
        onAction={() => void navigate({ to: '.', search: (search) => ({ ...search, target: member.name }) })}
      >
        Use as target
      </MenuItem>
      <MenuItem
        id="evacuate"
        text="Evacuate…"
        note={notEvacuate}
        disabled={notEvacuate !== undefined}
        onAction={() => onChoose('evacuate')}
      >
        Evacuate…
      </MenuItem>
      <MenuItem
        id="restore"
        text="Restore…"
        note={notRestore}
        disabled={notRestore !== undefined}
        onAction={() => onChoose('restore')}
      >
        Restore…
      </MenuItem>
    </Menu>
  )
}
