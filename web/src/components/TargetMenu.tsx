import type { Target } from '@malleus/shared/domain/target.ts'
import { formatTarget, parseTarget } from '@malleus/shared/domain/target.ts'
import { useNavigate } from '@tanstack/react-router'
import type { RefObject } from 'react'
import { Header } from 'react-aria-components/Header'
import { ListBox, ListBoxItem, ListBoxSection } from 'react-aria-components/ListBox'
import type { MemberList } from '../api/apply-live-event.ts'
import { FindList } from '../ui/FindList.tsx'
import { Popover } from '../ui/Popover.tsx'
import { byName } from '../lib/by-name.ts'
import { useTarget } from './current.ts'
import { HealthMark } from './HealthBadge.tsx'
import { isUsable, stateOf } from './member-words.ts'
import { targetAnswer, targetFacts } from './target-words.ts'
import { Ticking } from './Ticking.tsx'

const row =
  'grid cursor-default grid-cols-[14px_minmax(0,auto)_minmax(0,1fr)_56px] items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none data-focused:bg-accent-soft data-hovered:bg-hover data-focused:data-hovered:bg-accent-soft'
const heading = 'px-2.5 pt-2 pb-1 text-11 text-ink-3'

/** All targets, those that cannot be used with the reason: choosing one of them is allowed, and the page then says so. */
export function TargetMenu(props: {
  trigger: RefObject<HTMLElement | null>
  list: MemberList | undefined
  onClose: () => void
}) {
  const { trigger, list, onClose } = props
  const navigate = useNavigate()
  const current = useTarget()
  const members = (list?.members ?? []).toSorted(
    (a, b) => Number(isUsable(b)) - Number(isUsable(a)) || byName(a.name, b.name),
  )
  const choose = (target: Target) => {
    void navigate({ to: '.', search: (search) => ({ ...search, target: formatTarget(target) }) })
    onClose()
  }
  return (
    <Popover trigger={trigger} label="Target" onClose={onClose} className="w-[min(480px,calc(100vw-24px))]">
      <FindList label="Find a server or group">
        <ListBox
          aria-label="Targets"
          onAction={(key) => choose(key === anyKey ? { kind: 'any' } : parseTarget(String(key)))}
          renderEmptyState={() => <p className="px-2.5 py-3 text-ink-3">No server or group has that in its name.</p>}
          className="outline-none"
        >
          <ListBoxItem id={anyKey} textValue="Any responsive server" className={row}>
            <Chosen when={current.kind === 'any'} />
            <span className="font-strong">Any responsive server</span>
            <span className="col-span-2 text-right text-12 text-ink-3">the console chooses</span>
          </ListBoxItem>
          <ListBoxSection>
            <Header className={heading}>Servers</Header>
            {members.map((member) => (
              <ListBoxItem
                key={member.name}
                id={member.name}
                textValue={`${member.name} ${stateOf(member).word}`}
                className={row}
              >
                {current.kind === 'member' && current.name === member.name ? (
                  <Chosen when />
                ) : (
                  <HealthMark member={member} />
                )}
                <span className={isUsable(member) ? 'truncate font-strong' : 'truncate text-ink-3'}>
                  {member.name}
                  <span className="sr-only">, {stateOf(member).word}</span>
                </span>
                <span className="truncate text-right text-12 text-ink-3 tabular-nums">
                  <Ticking describe={(now) => targetFacts(member, now)} />
                </span>
                <span className="text-right text-12 text-ink-3 tabular-nums">{targetAnswer(member)}</span>
              </ListBoxItem>
            ))}
          </ListBoxSection>
          {list !== undefined && list.groups.length > 0 && (
            <ListBoxSection>
              <Header className={heading}>Groups</Header>
              {list.groups.map((group) => (
                <ListBoxItem key={group.name} id={`@${group.name}`} textValue={`@${group.name}`} className={row}>
                  <Chosen when={current.kind === 'group' && current.name === group.name} />
                  <span className="truncate font-strong">@{group.name}</span>
                  <span className="col-span-2 truncate text-right text-12 text-ink-3">
                    {group.members.toSorted(byName).join(', ') || 'no servers'}
                  </span>
                </ListBoxItem>
              ))}
            </ListBoxSection>
          )}
        </ListBox>
      </FindList>
    </Popover>
  )
}

const anyKey = 'any responsive server'

function Chosen({ when }: { when: boolean }) {
  if (!when) return <span />
  return (
    <span>
      <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className="text-accent-text">
        <path d="M2.5 6.5 5 9l4.5-6" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
      </svg>
      <span className="sr-only">chosen, </span>
    </span>
  )
}
