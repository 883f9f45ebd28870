import type { Instance, InstanceMember } from '@malleus/shared/api/instances.ts'

/** What the state of an instance is called and looks like, and whether it is its state now. */
export interface InstanceState {
  readonly look: 'good' | 'quiet' | 'info' | 'bad' | 'unknown'
  readonly shape: 'play' | 'stop' | 'pause' | 'cross' | 'turning' | 'question'
  readonly word: string
  /** Set where it is only the last known: as of when; null where it is current, or nothing is known. */
  readonly asOf: string | null
  /** Why it is not its state now; null where it is. */
  readonly because: string | null
}

type Look = Pick<InstanceState, 'look' | 'shape'>
const turning: Look = { look: 'info', shape: 'turning' }

/** Incus's own words (incus `shared/api/status_code.go`). */
const looks: Readonly<Record<string, Look>> = {
  Running: { look: 'good', shape: 'play' },
  Ready: { look: 'good', shape: 'play' },
  Thawed: { look: 'good', shape: 'play' },
  Stopped: { look: 'quiet', shape: 'stop' },
  Frozen: { look: 'info', shape: 'pause' },
  Error: { look: 'bad', shape: 'cross' },
  Starting: turning,
  Stopping: turning,
  Aborting: turning,
  Freezing: turning,
}

/** Servers by name, with how current what they tell is. */
export type Servers = ReadonlyMap<string, InstanceMember>

export function stateOf({ status, location, asOf }: Instance, servers: Servers): InstanceState {
  const freshness = servers.get(location ?? '')?.freshness
  if (status === null) {
    const because =
      freshness?.kind === 'fresh' || freshness === undefined ? 'It has not been told yet.' : freshness.reason
    return { look: 'unknown', shape: 'question', word: 'Unknown', asOf: null, because }
  }
  const { look, shape } = looks[status] ?? { look: 'quiet', shape: 'question' }
  // A row of its own age was not told although its server answered the others.
  if (asOf !== undefined) return old(status, shape, asOf, reasonOf(freshness) ?? 'The cluster could not tell it anew.')
  if (freshness?.kind === 'stale') return old(status, shape, freshness.asOf, freshness.reason)
  return { look, shape, word: status, asOf: null, because: null }
}

/** Unknown is grey and hatched, whatever it was. */
function old(word: string, shape: InstanceState['shape'], asOf: string, because: string): InstanceState {
  return { look: 'unknown', shape, word, asOf, because }
}

function reasonOf(freshness: InstanceMember['freshness'] | undefined): string | undefined {
  return freshness === undefined || freshness.kind === 'fresh' ? undefined : freshness.reason
}

export function typeWord(type: string | null): string | null {
  return type === null ? null : (types[type] ?? type)
}

const types: Readonly<Record<string, string>> = { container: 'Container', 'virtual-machine': 'VM' }
