// The network the members share. The bridge is also the lab's entry in the machine's own register: its alias says
// which lab it belongs to, and the kernel lets only one be made, so two labs never take the same slot.

import { z } from 'zod'
import { firstFreeSlot, isLinkOf, planAddresses, type AddressPlan, type MemberPlan } from './address-plan.ts'
import { CommandFailed, run } from './command.ts'

/** A lab the machine remembers, running or not. */
export interface Claim {
  readonly slot: number
  readonly name: string
  readonly stateDirectory: string
}

const Links = z.array(z.object({ ifname: z.string(), ifalias: z.string().optional() }))
const Routes = z.array(z.object({ dst: z.string() }))

/** Every lab that has a bridge on this machine. */
export async function readClaims(): Promise<Claim[]> {
  return (await readLinks()).flatMap((link) => {
    const found = parseClaim(link.ifname, link.ifalias ?? '')
    return found === undefined ? [] : [found]
  })
}

/** Makes a bridge in the first free slot, and with it the claim to the slot. */
export async function claimSlot(name: string, stateDirectory: string): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const routes = Routes.parse(JSON.parse(await run(['ip', '-json', 'route', 'show', 'table', 'all'])))
    const links = await readLinks()
    const slot = firstFreeSlot(
      links.map((link) => link.ifname),
      routes.map((route) => route.dst),
    )
    if (slot === undefined) throw new Error('every slot for a lab on this machine is taken')
    const { bridge } = planAddresses(slot, 1)
    const lines = [
      `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${bridge} alias "malleus-lab ${name} ${stateDirectory}"`,
    ]
    try {
      // One program for both: it finishes what it began even when we are interrupted, so that no bridge is left unclaimed.
      await run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
    } catch (error) {
      if (error instanceof CommandFailed && error.stderr.includes('File exists')) continue
      throw error
    }
    return slot
  }
  throw new Error('other labs took every slot we tried')
}

/** Connects the bridge to the host and to each namespace, by the file that holds its network. */
export async function connect(plan: AddressPlan, networkFile: (name: string) => string): Promise<void> {
  const lines = [`addr add ${plan.host}/24 dev ${plan.bridge}`, `link set ${plan.bridge} up`]
  lines.push(...plan.members.flatMap((end) => cable(plan.bridge, end, networkFile(end.name))))
  await run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
}

/** Connects one more namespace to a bridge that stands. */
export async function connectOne(plan: AddressPlan, end: MemberPlan, networkFile: string): Promise<void> {
  await run(['ip', '-batch', '-'], { input: cable(plan.bridge, end, networkFile).join('\n') + '\n' })
}

function cable(bridge: string, { hostLink }: MemberPlan, networkFile: string): string[] {
  return [
    `link add ${hostLink} type veth peer name eth0 netns ${networkFile}`,
    `link set ${hostLink} master ${bridge} up`,
  ]
}

/** Removes every interface of a slot, and so gives up the claim to it. */
export async function removeLinks(slot: number): Promise<void> {
  const ours = (await readLinks()).map((link) => link.ifname).filter((name) => isLinkOf(slot, name))
  // The bridge goes last: as long as it is there, the slot is ours.
  const ordered = [...ours.filter((name) => name !== `mlab${slot}`), ...ours.filter((name) => name === `mlab${slot}`)]
  for (const name of ordered) {
    try {
      await run(['ip', 'link', 'delete', name])
    } catch (error) {
      // The kernel removes a veth pair by itself some time after its namespace has gone.
      if (!(error instanceof CommandFailed && error.stderr.includes('Cannot find device'))) throw error
    }
  }
}

/** The claim a bridge's alias states. Bridges that are not ours have none. */
export function parseClaim(link: string, alias: string): Claim | undefined {
  const bridge = /^mlab(\d{1,3})$/.exec(link)
  const owner = /^malleus-lab (\S+) (\/.*)$/.exec(alias)
  if (bridge?.[1] === undefined || owner?.[1] === undefined || owner[2] === undefined) return undefined
  return { slot: Number(bridge[1]), name: owner[1], stateDirectory: owner[2] }
}

async function readLinks(): Promise<z.infer<typeof Links>> {
  return Links.parse(JSON.parse(await run(['ip', '-json', 'link', 'show'])))
}
