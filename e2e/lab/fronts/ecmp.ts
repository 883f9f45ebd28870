// One address that every member announces to a router by BGP, with BFD to find a lost member in a third of a second. The
// router spreads connections over all that announce it. A member whose API does not answer withdraws its announcement,
// since the route follows the routing daemon and not Incus.

import { dirname } from 'node:path'
import { run } from '../command.ts'
import { memberPort } from '../member-process.ts'
import type { FrontProgram, Lab } from '../running-lab.ts'
import { askApi, setNetwork, untilReady, writeFrontFile, type FrontAddress } from './front.ts'

const system = { members: 65_001, router: 65_000 }

/** A neighbour of the members with its address. */
export interface Neighbour {
  readonly name: string
  readonly address: string
}

/** The address that all members announce. */
export class SharedAddress implements FrontAddress {
  readonly host: string
  readonly port = memberPort
  readonly #lab: Lab
  readonly #router: string

  /** Use `startEcmp`. */
  constructor(lab: Lab, router: string, host: string) {
    this.#lab = lab
    this.#router = router
    this.host = host
  }

  /** Does the router send connections to every member? */
  async allAnnounced(): Promise<boolean> {
    const route = await run([...this.#lab.enter(this.#router), 'ip', 'route', 'show', this.host])
    return this.#lab.members.every(({ address }) => route.includes(`via ${address} `))
  }
}

/** Starts FRR on every member and on the router, and leads the client to it. Members must listen everywhere: see `listenEverywhere`. */
export async function startEcmp(lab: Lab, router: Neighbour, client: string): Promise<SharedAddress> {
  const shared = new SharedAddress(lab, router.name, lab.sharedAddress(200))
  const programs: FrontProgram[] = []
  for (const { name, address } of lab.members) {
    // The address is on every member: nobody may answer for it but who is asked by the router.
    await setNetwork(lab, name, { 'conf.all.arp_ignore': 1, 'conf.all.arp_announce': 2 })
    programs.push(...(await startRouting(lab, name, memberRouting(address, router.address, shared.host))))
    programs.push(lab.start(name, ['sh', writeFrontFile(lab, name, 'announce.sh', announcing(shared.host, address))]))
  }
  await setNetwork(lab, router.name, {
    ip_forward: 1,
    fib_multipath_hash_policy: 1,
    'conf.all.send_redirects': 0,
    'conf.eth0.send_redirects': 0,
  })
  const addresses = lab.members.map(({ address }) => address)
  programs.push(...(await startRouting(lab, router.name, routerRouting(router.address, addresses))))
  await run([...lab.enter(client), 'ip', 'route', 'add', `${shared.host}/32`, 'via', router.address])
  await untilReady('routes to every member', programs, () => shared.allAnnounced())
  return shared
}

/** FRR's daemons with all their files in places of the lab's, so that several can run on one machine and nothing is left. */
export async function startRouting(lab: Lab, machine: string, { bgp, bfd }: Routing): Promise<FrontProgram[]> {
  const configuration = {
    zebra: writeFrontFile(lab, machine, 'zebra.conf', ''),
    bfdd: writeFrontFile(lab, machine, 'bfdd.conf', bfd),
    bgpd: writeFrontFile(lab, machine, 'bgpd.conf', bgp),
  }
  // They give up being root, and keep their sockets where they may write.
  const sockets = `${dirname(configuration.zebra)}/sockets`
  await run(['install', '--directory', '--owner=frr', '--group=frr', sockets])
  const start = (daemon: keyof typeof configuration, ...more: readonly string[]): FrontProgram => {
    const own = ['--config_file', configuration[daemon], '--pid_file', `${sockets}/${daemon}.pid`, '--vty_port', '0']
    const common = ['--log', 'stdout', '--vty_socket', sockets, '--socket', `${sockets}/zebra.api`]
    return lab.start(machine, [...withoutCrashNotes, `/usr/lib/frr/${daemon}`, ...own, ...common, ...more])
  }
  return [start('zebra'), start('bfdd', '--bfdctl', `${sockets}/bfdd.api`), start('bgpd')]
}

/** FRR keeps notes for the case of a crash in /var/tmp, whatever it is told. */
const inside = 'mount -t tmpfs tmpfs /var/tmp; exec "$@"'
const withoutCrashNotes = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', inside, 'sh']

export interface Routing {
  /** Configuration of bgpd. */
  readonly bgp: string
  /** Configuration of bfdd. */
  readonly bfd: string
}

/** A member announces the shared address as long as it has it. Pure. */
export function memberRouting(own: string, router: string, shared: string): Routing {
  return {
    bfd: bfdConfiguration,
    bgp: `router bgp ${system.members}
 bgp router-id ${own}
 no bgp ebgp-requires-policy
 bgp network import-check
 neighbor ${router} remote-as ${system.router}
 neighbor ${router} bfd profile quick
 neighbor ${router} timers connect 1
 address-family ipv4 unicast
  network ${shared}/32
 exit-address-family
`,
  }
}

/** The router takes the announcements of all members as equally good. Pure. */
export function routerRouting(own: string, members: readonly string[]): Routing {
  const neighbours = members.map(
    (address) => ` neighbor ${address} remote-as ${system.members}
 neighbor ${address} bfd profile quick
 neighbor ${address} timers connect 1
`,
  )
  return {
    bfd: bfdConfiguration,
    bgp: `router bgp ${system.router}
 bgp router-id ${own}
 no bgp ebgp-requires-policy
${neighbours.join('')} address-family ipv4 unicast
  maximum-paths 32
 exit-address-family
`,
  }
}

/** Three hellos lost, a tenth of a second apart. */
const bfdConfiguration = `bfd
 profile quick
  detect-multiplier 3
  transmit-interval 100
  receive-interval 100
`

/** Has the address while the API answers, asked twice a second. Pure. */
export function announcing(shared: string, own: string): string {
  return `while :; do
  if ${askApi(own)}; then
    ip address replace ${shared}/32 dev lo
  else
    ip address delete ${shared}/32 dev lo 2> /dev/null || :
  fi
  sleep 0.5
done
`
}
