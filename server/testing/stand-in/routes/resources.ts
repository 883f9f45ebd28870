import type { Call } from '../call.ts'
import { loadOf, memoryOf, threadsOf } from '../hardware.ts'
import type { Member } from '../member.ts'
import { reach } from '../reach.ts'
import { sync } from '../replies.ts'
import type { Reply } from '../replies.ts'
import type { Route } from '../router.ts'

/** The hardware of one member: the answering one, or `?target=`. */
export const resourceRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/resources', need: 'view', answer: readResources },
]

async function readResources(call: Call): Promise<Reply> {
  const target = call.query.get('target')
  const member = target === null ? call.via : call.state.member(target)
  await reach(call, member)
  return sync(renderResources(member))
}

function renderResources(member: Member): Record<string, unknown> {
  const memory = memoryOf(member)
  const load = loadOf(member)
  return {
    cpu: { architecture: 'x86_64', sockets: [socketOf(member)], total: threadsOf(member) },
    memory: {
      nodes: [{ numa_node: 0, hugepages_used: 0, hugepages_total: 0, used: memory.used, total: memory.total }],
      hugepages_total: 0,
      hugepages_used: 0,
      hugepages_size: 2_097_152,
      used: memory.used,
      total: memory.total,
    },
    gpu: { cards: null, total: 0 },
    network: { cards: [], total: 0 },
    storage: { disks: [], total: 0 },
    usb: { devices: null, total: 0 },
    pci: { devices: [], total: 0 },
    system: {
      uuid: '',
      vendor: 'Stand-in',
      product: 'Member',
      family: '',
      version: '',
      sku: '',
      serial: '',
      type: 'physical',
      firmware: null,
      chassis: null,
      motherboard: null,
    },
    load: { Average1Min: load[0], Average5Min: load[1], Average10Min: load[2], Processes: 240 },
    serial: { devices: null, total: 0 },
  }
}

function socketOf(member: Member): Record<string, unknown> {
  const cores = threadsOf(member) / 2
  return {
    name: 'Stand-in processor',
    vendor: 'GenuineIntel',
    socket: 0,
    cache: [{ level: 1, type: 'Data', size: 32_768 }],
    cores: Array.from({ length: cores }, (_, core) => ({
      core,
      die: 0,
      threads: [0, 1].map((thread) => ({
        id: core * 2 + thread,
        numa_node: 0,
        thread,
        online: true,
        isolated: false,
      })),
      frequency: 2400,
    })),
    frequency: 2400,
    frequency_minimum: 800,
    frequency_turbo: 3500,
  }
}
