import { useNavigate } from '@tanstack/react-router'
import { Header } from 'react-aria-components/Header'
import { ListBox, ListBoxItem, ListBoxSection } from 'react-aria-components/ListBox'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import { useQuery } from '@tanstack/react-query'
import { clusterListQuery } from '../api/clusters.ts'
import { byName } from '../lib/by-name.ts'
import { useClusterName, useMembers } from '../components/current.ts'
import { HealthMark } from '../components/HealthBadge.tsx'
import { shortAddress, stateOf } from '../components/member-words.ts'
import { setPreferences } from '../stores/preferences.ts'
import { FindList } from '../ui/FindList.tsx'

const row =
  'flex cursor-default items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none data-focused:bg-accent-soft data-hovered:bg-hover data-focused:data-hovered:bg-accent-soft'
const heading = 'px-2.5 pt-2 pb-1 text-11 text-ink-3'

/** Everything that can be gone to or run from anywhere, by name. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const cluster = useClusterName()
  const members = useMembers().toSorted((a, b) => byName(a.name, b.name))
  const others = (useQuery(clusterListQuery).data?.clusters ?? []).filter(({ name }) => name !== cluster)

  const run = (key: string) => {
    onClose()
    const colon = key.indexOf(':')
    const [kind, name] = [key.slice(0, colon), key.slice(colon + 1)]
    if (kind === 'server')
      void navigate({ to: '/clusters/$cluster/members/$member', params: { cluster, member: name } })
    if (kind === 'cluster') {
      void navigate({ to: '/clusters/$cluster', params: { cluster: name }, search: { target: undefined } })
    }
    if (key === 'page:overview') void navigate({ to: '/clusters/$cluster', params: { cluster } })
    if (key === 'page:incidents') void navigate({ to: '/clusters/$cluster/incidents', params: { cluster } })
    if (key === 'page:servers') void navigate({ to: '/clusters/$cluster/members', params: { cluster } })
    if (key === 'page:certificates') void navigate({ to: '/clusters/$cluster/certificates', params: { cluster } })
    if (key === 'page:access-paths') void navigate({ to: '/clusters/$cluster/access-paths', params: { cluster } })
    if (key === 'page:trust') void navigate({ to: '/clusters/$cluster/trust', params: { cluster } })
    if (key === 'page:events') void navigate({ to: '/clusters/$cluster/events', params: { cluster } })
    if (key === 'page:instances') void navigate({ to: '/clusters/$cluster/instances', params: { cluster } })
    if (key === 'page:operations') void navigate({ to: '/clusters/$cluster/operations', params: { cluster } })
    if (key === 'theme:light') setPreferences({ theme: 'light' })
    if (key === 'theme:dark') setPreferences({ theme: 'dark' })
    if (key === 'theme:system') setPreferences({ theme: 'system' })
  }

  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => !open && onClose()}
      className="fixed inset-0 z-40 flex items-start justify-center bg-scrim p-3 sm:pt-[12vh]"
    >
      <Modal className="overlay-enter w-full max-w-[560px] rounded-xl border border-line-strong bg-raised shadow-overlay">
        <AriaDialog aria-label="Search or run" className="outline-none">
          <FindList label="Find a page or server, or run something">
            <ListBox
              aria-label="Results"
              onAction={(key) => run(String(key))}
              renderEmptyState={() => <p className="px-2.5 py-3 text-ink-3">Nothing here is called that.</p>}
              className="outline-none"
            >
              <ListBoxSection>
                <Header className={heading}>Pages</Header>
                {pages.map(({ id, text }) => (
                  <ListBoxItem key={id} id={id} textValue={text} className={row}>
                    {text}
                  </ListBoxItem>
                ))}
              </ListBoxSection>
              {members.length > 0 && (
                <ListBoxSection>
                  <Header className={heading}>Servers</Header>
                  {members.map((member) => (
                    <ListBoxItem
                      key={member.name}
                      id={`server:${member.name}`}
                      textValue={`${member.name} ${shortAddress(member.address)}`}
                      className={row}
                    >
                      <HealthMark member={member} />
                      <span className="truncate font-strong">{member.name}</span>
                      <span className="truncate font-mono text-12 text-ink-3">{shortAddress(member.address)}</span>
                      <span className="ml-auto text-12 whitespace-nowrap text-ink-3">{stateOf(member).word}</span>
                    </ListBoxItem>
                  ))}
                </ListBoxSection>
              )}
              {others.length > 0 && (
                <ListBoxSection>
                  <Header className={heading}>Clusters</Header>
                  {others.map(({ name }) => (
                    <ListBoxItem key={name} id={`cluster:${name}`} textValue={`Cluster ${name}`} className={row}>
                      {name}
                    </ListBoxItem>
                  ))}
                </ListBoxSection>
              )}
              <ListBoxSection>
                <Header className={heading}>Run</Header>
                {themes.map(({ id, text }) => (
                  <ListBoxItem key={id} id={id} textValue={text} className={row}>
                    {text}
                  </ListBoxItem>
                ))}
              </ListBoxSection>
            </ListBox>
          </FindList>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

const pages = [
  { id: 'page:overview', text: 'Overview' },
  { id: 'page:incidents', text: 'Incidents' },
  { id: 'page:servers', text: 'Servers' },
  { id: 'page:certificates', text: 'Certificates' },
  { id: 'page:access-paths', text: 'Access paths' },
  { id: 'page:trust', text: 'Trust' },
  { id: 'page:instances', text: 'Instances' },
  { id: 'page:operations', text: 'Operations' },
  { id: 'page:events', text: 'Events' },
]

const themes = [
  { id: 'theme:light', text: 'Use the light theme' },
  { id: 'theme:dark', text: 'Use the dark theme' },
  { id: 'theme:system', text: 'Use the theme of the system' },
]
