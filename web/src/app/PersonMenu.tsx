import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { RefObject } from 'react'
import { Header } from 'react-aria-components/Header'
import { MenuSection } from 'react-aria-components/Menu'
import { ApiError } from '../api/api-error.ts'
import { sessionQuery, signOut } from '../api/session.ts'
import { useClusterName } from '../components/current.ts'
import { useStore } from '../lib/store.ts'
import { preferences, setPreferences } from '../stores/preferences.ts'
import { showToast } from '../stores/toasts.ts'
import { Menu, MenuChoice, MenuChoices, MenuItem } from '../ui/Menu.tsx'

export function PersonMenu({ trigger, onClose }: { trigger: RefObject<HTMLElement | null>; onClose: () => void }) {
  const principal = useQuery(sessionQuery).data?.principal
  const { theme, density } = useStore(preferences)
  const cluster = useClusterName()
  const navigate = useNavigate()
  return (
    <Menu trigger={trigger} label="You and this console" onClose={onClose}>
      <MenuChoices
        title="Theme"
        mode="single"
        selected={[`theme:${theme}`]}
        onChange={([choice]) => {
          if (choice === 'theme:system' || choice === 'theme:light' || choice === 'theme:dark') {
            setPreferences({ theme: themes[choice] })
          }
        }}
      >
        <MenuChoice id="theme:system">As the system</MenuChoice>
        <MenuChoice id="theme:light">Light</MenuChoice>
        <MenuChoice id="theme:dark">Dark</MenuChoice>
      </MenuChoices>
      <MenuChoices
        title="Density"
        mode="single"
        selected={[`density:${density}`]}
        onChange={([choice]) => setPreferences({ density: choice === 'density:compact' ? 'compact' : 'comfortable' })}
      >
        <MenuChoice id="density:comfortable">Comfortable</MenuChoice>
        <MenuChoice id="density:compact">Compact</MenuChoice>
      </MenuChoices>
      <MenuSection className="mt-1 border-t border-line pt-1">
        <Header className="px-2.5 pt-1 pb-0.5 text-11 text-ink-3">
          {principal?.email ?? principal?.name} · {principal?.roles.join(', ')}
        </Header>
        <MenuItem
          id="sessions"
          text="My sessions"
          onAction={() => void navigate({ to: '/clusters/$cluster/sessions', params: { cluster } })}
        >
          My sessions
        </MenuItem>
        <MenuItem id="sign-out" text="Sign out" onAction={() => void leave()}>
          Sign out
        </MenuItem>
      </MenuSection>
    </Menu>
  )
}

const themes = { 'theme:system': 'system', 'theme:light': 'light', 'theme:dark': 'dark' } as const

async function leave(): Promise<void> {
  try {
    window.location.assign(await signOut())
  } catch (error) {
    showToast({ tone: 'bad', title: 'Could not sign out', text: error instanceof ApiError ? error.message : undefined })
  }
}
