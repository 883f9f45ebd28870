import { z } from 'zod'
import { createStore } from '../lib/store.ts'

/** How this person likes the console to look, on this device. index.html applies theme and density before the first paint. */
const Preferences = z.object({
  theme: z.enum(['system', 'light', 'dark']).catch('system'),
  density: z.enum(['comfortable', 'compact']).catch('comfortable'),
  memberColumns: z.array(z.string()).nullable().catch(null),
  instanceColumns: z.array(z.string()).nullable().catch(null),
  operationColumns: z.array(z.string()).nullable().catch(null),
  eventColumns: z.array(z.string()).nullable().catch(null),
  trustColumns: z.array(z.string()).nullable().catch(null),
})
export type Preferences = z.infer<typeof Preferences>
/** What keeps which columns a table has; null where nothing was chosen. */
export type ColumnPreference =
  | 'memberColumns'
  | 'instanceColumns'
  | 'operationColumns'
  | 'eventColumns'
  | 'trustColumns'

const key = 'malleus.preferences'

export const preferences = createStore<Preferences>(read())

export function setPreferences(change: Partial<Preferences>): void {
  preferences.set((previous) => ({ ...previous, ...change }))
}

/** Keeps the document and the storage in step with the preferences, from now on. */
export function applyPreferences(): void {
  apply()
  preferences.subscribe(() => {
    apply()
    write(preferences.get())
  })
}

/** What the style sheet goes by: nothing for the system's own theme, since that needs no choice. */
function apply(): void {
  const { theme, density } = preferences.get()
  const { dataset } = document.documentElement
  if (theme === 'system') delete dataset['theme']
  else dataset['theme'] = theme
  dataset['density'] = density
}

function read(): Preferences {
  try {
    return Preferences.parse(JSON.parse(localStorage.getItem(key) ?? '{}'))
  } catch {
    // No storage, or somebody else's value in it: the defaults.
    return Preferences.parse({})
  }
}

function write(value: Preferences): void {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Storage is full or forbidden: the choice lasts as long as the page.
  }
}
