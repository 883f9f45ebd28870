import type { InstanceSeed } from './options.ts'
import { goTime, NEVER } from './times.ts'

export type InstanceStatus = 'Running' | 'Stopped' | 'Frozen'

const STATUS_CODES: Record<InstanceStatus, number> = { Stopped: 102, Running: 103, Frozen: 110 }

export interface Instance {
  name: string
  project: string
  location: string
  type: 'container' | 'virtual-machine'
  status: InstanceStatus
  config: Record<string, string>
  createdAt: number
  lastUsedAt: number
}

const KINDS = ['web', 'db', 'cache', 'queue', 'build']

/** The instances a cluster starts with. */
export function seedInstances(
  seeds: number | readonly InstanceSeed[],
  memberNames: readonly string[],
  projects: readonly string[],
  now: number,
): Instance[] {
  const all =
    typeof seeds === 'number'
      ? memberNames.flatMap((location, member) =>
          Array.from({ length: seeds }, (_, index): InstanceSeed => {
            const number = member * seeds + index
            return {
              name: `${KINDS[number % KINDS.length]}${number + 1}`,
              location,
              project: projects[number % projects.length] ?? 'default',
              status: number % 7 === 6 ? 'Stopped' : 'Running',
            }
          }),
        )
      : seeds
  return all.map((seed) => ({
    name: seed.name,
    project: seed.project ?? 'default',
    location: seed.location,
    type: seed.type ?? 'container',
    status: seed.status ?? 'Running',
    config: { 'image.os': 'debian', 'image.release': 'bookworm', ...seed.config },
    createdAt: now - 86_400_000,
    lastUsedAt: now - 3_600_000,
  }))
}

/** An instance as Incus shows it. */
export function renderInstance(instance: Instance): Record<string, unknown> {
  const devices = { root: { path: '/', pool: 'local', type: 'disk' } }
  return {
    architecture: 'x86_64',
    config: instance.config,
    devices: {},
    ephemeral: false,
    profiles: ['default'],
    stateful: false,
    description: '',
    created_at: goTime(instance.createdAt),
    expanded_config: instance.config,
    expanded_devices: devices,
    name: instance.name,
    status: instance.status,
    status_code: STATUS_CODES[instance.status],
    last_used_at: goTime(instance.lastUsedAt),
    location: instance.location,
    type: instance.type,
    project: instance.project,
  }
}

/** The row of an instance whose member does not answer: only what the database knows. */
export function renderUnreachable(instance: Instance): Record<string, unknown> {
  return {
    ...renderInstance(instance),
    architecture: '',
    config: null,
    devices: null,
    profiles: null,
    created_at: NEVER,
    expanded_config: null,
    expanded_devices: null,
    status: 'Error',
    status_code: 112,
    last_used_at: NEVER,
  }
}

/** The state of one instance; the numbers are the same for the same name and hour. */
export function renderInstanceState(instance: Instance, now: number): Record<string, unknown> {
  const running = instance.status !== 'Stopped'
  const seed = Array.from(instance.name).reduce((sum, character) => sum + character.charCodeAt(0), 0)
  return {
    status: instance.status,
    status_code: STATUS_CODES[instance.status],
    disk: { root: { usage: seed * 1_000_000, total: 0 } },
    memory: {
      usage: running ? seed * 200_000 : 0,
      usage_peak: running ? seed * 300_000 : 0,
      total: running ? 2_147_483_648 : 0,
      swap_usage: 0,
      swap_usage_peak: 0,
    },
    network: running ? { eth0: networkOf(seed) } : null,
    pid: running ? 1000 + seed : 0,
    processes: running ? 4 + (seed % 20) : -1,
    cpu: { usage: running ? (now - instance.createdAt) * seed : 0, allocated_time: running ? 4_000_000_000 : 0 },
    started_at: running ? goTime(instance.lastUsedAt) : NEVER,
    os_info: null,
  }
}

function networkOf(seed: number): Record<string, unknown> {
  return {
    addresses: [{ family: 'inet', address: `10.10.0.${(seed % 250) + 2}`, netmask: '24', scope: 'global' }],
    counters: {
      bytes_received: seed * 1000,
      bytes_sent: seed * 500,
      packets_received: seed * 10,
      packets_sent: seed * 5,
      errors_received: 0,
      errors_sent: 0,
      packets_dropped_outbound: 0,
      packets_dropped_inbound: 0,
    },
    hwaddr: `10:66:6a:00:00:${(seed % 256).toString(16).padStart(2, '0')}`,
    host_name: `veth${seed}`,
    mtu: 1500,
    state: 'up',
    type: 'broadcast',
  }
}
