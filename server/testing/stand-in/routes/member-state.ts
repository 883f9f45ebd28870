import { z } from 'zod'
import { execute } from '../call.ts'
import type { Call } from '../call.ts'
import { evacuate, evacuationModes, restore } from '../evacuation.ts'
import { loadOf, memoryOf, uptimeOf } from '../hardware.ts'
import type { Member } from '../member.ts'
import { reach } from '../reach.ts'
import { IncusError, sync } from '../replies.ts'
import type { Reply } from '../replies.ts'
import { parseBody } from '../request-body.ts'
import type { Route } from '../router.ts'

/** The state of one member, asked of and changed by that member itself. */
export const memberStateRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/cluster/members/:name/state', need: 'view', answer: readState },
  { method: 'POST', path: '/1.0/cluster/members/:name/state', need: 'edit', answer: changeState },
]

async function readState(call: Call): Promise<Reply> {
  const member = call.state.member(call.params['name'] ?? '')
  await reach(call, member)
  return sync(renderState(member))
}

const StateChange = z.object({ action: z.string(), mode: z.string().default('') })

async function changeState(call: Call): Promise<Reply> {
  const member = call.state.member(call.params['name'] ?? '')
  await reach(call, member)
  const { action, mode } = parseBody(StateChange, call.body)
  if (action === 'evacuate') {
    const modes = evacuationModes(call.state.settings.seven)
    if (mode !== '' && !modes.includes(mode)) {
      throw new IncusError(400, `Invalid value "${mode}" (not one of [${modes.join(' ')}])`)
    }
    execute(call, 'member.evacuate', member)
    return { kind: 'async', operation: asMetadata(evacuate(call, member, mode)) }
  }
  if (action === 'restore') {
    // 6.0.4 takes any mode here and ignores it.
    execute(call, 'member.restore', member)
    return {
      kind: 'async',
      operation: asMetadata(restore(call, member, { onlyState: call.state.settings.seven && mode === 'skip' })),
    }
  }
  throw new IncusError(400, `Unknown action "${action}"`)
}

function asMetadata(operation: { url: string; render(): Record<string, unknown> }) {
  return { url: operation.url, metadata: operation.render() }
}

function renderState(member: Member): Record<string, unknown> {
  const memory = memoryOf(member)
  return {
    sysinfo: {
      uptime: uptimeOf(member),
      load_averages: loadOf(member),
      total_ram: memory.total,
      free_ram: memory.free,
      shared_ram: 12_582_912,
      buffered_ram: Math.round(memory.total / 20),
      total_swap: 0,
      free_swap: 0,
      processes: 240,
    },
    storage_pools: {
      local: {
        space: { used: 18_253_611_008, total: 107_374_182_400 },
        inodes: { used: 240_112, total: 6_553_600 },
      },
    },
  }
}
