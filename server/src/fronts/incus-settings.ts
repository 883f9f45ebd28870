import { isIP } from 'node:net'
import type { FrontCommand, FrontInput } from './front.ts'
import { single } from './front.ts'

/** Lets members believe the PROXY header of a balancer, and only of it. */
export function trustedProxy({ address }: FrontInput): FrontCommand {
  return {
    why: 'Incus then sees the address of the client, and not that of the balancer. Only the address from which the balancer connects belongs here: whoever is listed can claim any address.',
    on: 'any server of the cluster',
    lines: [`incus config set core.https_trusted_proxy=${isIP(address) === 0 ? 'ADDRESS-OF-THE-BALANCER' : address}`],
  }
}

/** Members listen on their own address unless told otherwise, and would not answer at a shared one. */
export function listenEverywhere({ members }: FrontInput): FrontCommand {
  return {
    why: 'Every server has to listen on all its addresses to answer at a shared one. The address that servers use among themselves (cluster.https_address) stays as it is.',
    on: 'any server of the cluster',
    lines: members.map(({ name, port }) => `incus config set core.https_address=:${port} --target ${name}`),
  }
}

/** Who listens everywhere is reached everywhere: from outside only the shared address is meant. */
export function onlySharedAddress({ address, members, port }: FrontInput): FrontCommand {
  const version = isIP(address) === 6 ? 'ip6' : 'ip'
  const others = members.map(({ host }) => host).filter((host) => isIP(host) === isIP(address))
  return {
    why: 'From outside, only the shared address is to be reached. Add the networks of your administrators and of this console where they need the servers themselves.',
    on: 'every server',
    lines: [
      'nft add table inet incus_front',
      "nft 'add chain inet incus_front input { type filter hook input priority 0 ; policy accept ; }'",
      `nft add rule inet incus_front input ${version} daddr ${single(address)} tcp dport ${port} accept`,
      ...(others.length === 0
        ? []
        : [`nft 'add rule inet incus_front input ${version} saddr { ${others.join(', ')} } tcp dport ${port} accept'`]),
      `nft add rule inet incus_front input iif lo accept`,
      `nft add rule inet incus_front input tcp dport ${port} drop`,
    ],
  }
}
