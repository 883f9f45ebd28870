// A floating address that one member at a time holds: VRRP between the members, and a check of the API on each.

import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { run } from '../command.ts'
import { until } from '../deadline.ts'
import { memberPort } from '../member-process.ts'
import type { Lab, LabMember } from '../running-lab.ts'
import { askApi, untilReady, writeFrontFile, type FrontAddress } from './front.ts'

/** The floating address of a cluster. */
export class FloatingAddress implements FrontAddress {
  readonly host: string
  readonly port = memberPort
  readonly #lab: Lab

  /** Use `startKeepalived`. */
  constructor(lab: Lab, host: string) {
    this.#lab = lab
    this.host = host
  }

  /** The member that holds it. Two while they have not yet agreed; then the first of them. */
  async holder(): Promise<string | undefined> {
    for (const { name } of this.#lab.members) {
      const shown = await run([...this.#lab.enter(name), 'ip', '-brief', 'address', 'show', 'dev', 'eth0'])
      if (shown.includes(` ${this.host}/32`)) return name
    }
    return undefined
  }

  /** Has a healthy member hold it, and waits until it does. */
  async moveTo(member: string): Promise<void> {
    for (const { name } of this.#lab.members)
      writeFileSync(preferenceFile(this.#lab, name), preference(name === member))
    await until(`${member} holding the floating address`, 20_000, async () =>
      (await this.holder()) === member ? true : undefined,
    )
  }
}

/** Starts keepalived on every member. They must listen everywhere: see `listenEverywhere`. */
export async function startKeepalived(lab: Lab): Promise<FloatingAddress> {
  const floating = new FloatingAddress(lab, lab.sharedAddress(100))
  const programs = lab.members.map((member) => {
    const { name } = member
    writeFrontFile(lab, name, 'preference', preference(false))
    const text = keepalivedConfiguration(member, lab.members, floating.host, preferenceFile(lab, name))
    const file = writeFrontFile(lab, name, 'keepalived.conf', text)
    const pids = ['--pid', `${file}.pid`, '--vrrp_pid', `${file}.vrrp.pid`]
    return lab.start(name, ['keepalived', '--vrrp', '--dont-fork', '--log-console', '--use-file', file, ...pids])
  })
  await untilReady('a holder of the floating address', programs, async () => (await floating.holder()) !== undefined)
  return floating
}

/**
 * Advertisements and checks each second, two failed checks give the address up: the shortest whole numbers, as most
 * people have them. `preference` is a file with a number that is added to the priority. One peer per line: of several on
 * one line keepalived takes the first only, and two members hold the address. Pure.
 */
export function keepalivedConfiguration(
  own: Pick<LabMember, 'name' | 'address'>,
  members: readonly Pick<LabMember, 'name' | 'address'>[],
  floating: string,
  preferred: string,
): string {
  const peers = members.filter(({ name }) => name !== own.name)
  return `global_defs {
  router_id ${own.name}
  script_user root
  enable_script_security
}
vrrp_script incus {
  script "${askApi(own.address)}"
  interval 1
  timeout 1
  fall 2
  rise 2
}
track_file preference {
  file "${preferred}"
}
vrrp_instance incus {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  unicast_src_ip ${own.address}
  unicast_peer {
${peers.map(({ address }) => `    ${address}\n`).join('')}  }
  virtual_ipaddress {
    ${floating}/32 dev eth0
  }
  track_script {
    incus
  }
  track_file {
    preference weight 1
  }
}
`
}

function preference(preferred: boolean): string {
  return preferred ? '50\n' : '0\n'
}

function preferenceFile(lab: Lab, member: string): string {
  return join(lab.stateDirectory, 'fronts', member, 'preference')
}
