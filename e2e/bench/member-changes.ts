import { once } from 'node:events'
import { Agent, WebSocket } from 'undici'
import { z } from 'zod'
import type { StandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'
import { callMember } from '../lab/incus-socket.ts'
import { adminToken, type BenchCluster } from './bench-world.ts'
import type { Run } from './measurement.ts'
import { clusterTrust } from './member-trust.ts'
import { steadyNow } from './page-clock.ts'

/** Changes of members that somebody can see in the list of servers, one after the other. */
export interface Changes {
  /** In words. */
  readonly what: string
  next(index: number): Change
}

export interface Change {
  readonly member: string
  /** What its row says afterwards and did not say before. */
  readonly word: string
  /** Makes the change; gives the moment of its event, on the steady clock. */
  make(): Promise<number>
}

/** On our own members: one is evacuated or restored, and an event says so. */
export function standInChanges(cluster: StandInCluster): Changes {
  const [, member = ''] = cluster.members
  return {
    what: 'a server is Evacuated or Online again, and a member sends the event; its time is that of sending',
    next: (index) => {
      const away = index % 2 === 0
      return {
        member,
        word: away ? 'Evacuated' : 'Online',
        make: async () => {
          cluster.state.member(member).state = away ? 'evacuated' : 'created'
          const at = steadyNow()
          cluster.emit({
            action: away ? 'cluster-member-evacuated' : 'cluster-member-restored',
            source: `/1.0/cluster/members/${member}`,
            member,
          })
          return at
        },
      }
    },
  }
}

/**
 * On real members: one changes its groups. The time is that at which the measurement itself hears of the event, on a
 * subscription of its own to the member that sends it.
 */
export async function realChanges(run: Run, cluster: BenchCluster): Promise<Changes> {
  if (cluster.kind !== 'real') throw new Error('these changes are for a real cluster')
  const { lab } = cluster.world
  const [sender, changed] = cluster.members
  if (sender === undefined || changed === undefined) throw new Error('two members are needed')
  for (const group of groups) await lab.incus(['cluster', 'group', 'create', group])
  const socket = lab.socket(sender.name)
  const path = `/1.0/cluster/members/${changed.name}`
  const current = await callMember(socket, CurrentMember, { path })
  const heard = await hearMemberUpdates(run, cluster, sender)
  return {
    what: 'a server moves between cluster groups; the time of the event is when the measurement hears it on a subscription of its own',
    next: (index) => {
      const group = groups[index % groups.length] ?? ''
      return {
        member: changed.name,
        word: group,
        make: async () => {
          const event = heard()
          const body = { ...current, groups: ['default', group] }
          await callMember(socket, z.unknown(), { method: 'PUT', path, body })
          return await event
        },
      }
    },
  }
}

const groups = ['bench-a', 'bench-b']

/** What may be changed of a member; a PUT has to say all of it. */
const CurrentMember = z.object({
  roles: z.array(z.string()),
  failure_domain: z.string(),
  description: z.string(),
  config: z.record(z.string(), z.string()),
})
const Heard = z.object({ metadata: z.object({ action: z.string() }) })

/** Subscribes to a member's events; gives a function that waits for the next change of a member. */
async function hearMemberUpdates(
  run: Run,
  cluster: BenchCluster,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<() => Promise<number>> {
  const dispatcher = new Agent({ connect: clusterTrust(cluster.certificate) })
  const headers = { authorization: `Bearer ${await adminToken(cluster)}` }
  const stream = new WebSocket(`wss://${host}:${port}/1.0/events?type=lifecycle`, { dispatcher, headers })
  run.defer(async () => {
    stream.close()
    await dispatcher.destroy()
  })
  await once(stream, 'open')
  let tell: (at: number) => void = () => undefined
  stream.addEventListener('message', ({ data }) => {
    const at = steadyNow()
    const event = Heard.safeParse(JSON.parse(String(data)))
    if (event.success && event.data.metadata.action === 'cluster-member-updated') tell(at)
  })
  return () =>
    new Promise((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error('no event within 10 s')), 10_000)
      tell = (at) => {
        clearTimeout(patience)
        resolve(at)
      }
    })
}
