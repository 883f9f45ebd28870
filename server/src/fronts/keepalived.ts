import type { Front, FrontFile, FrontInput, FrontMember } from './front.ts'
import { askApi, lines, single } from './front.ts'
import { listenEverywhere, onlySharedAddress } from './incus-settings.ts'

/** A floating address that one server at a time holds, and gives up when its own API does not answer. */
export function keepalived(input: FrontInput): Front {
  return {
    files: input.members.flatMap((own, at) => [configuration(input, own, at), checkScript(own)]),
    commands: [listenEverywhere(input), onlySharedAddress(input)],
    notes: [
      'One address per line in unicast_peer: of several on one line keepalived takes the first only, and two servers hold the address.',
      'Connections that are open when the address moves are lost without a word: clients without a time-out wait long.',
      'Replace eth0 by the interface that has the address of the server.',
    ],
  }
}

function configuration({ members, address, cluster }: FrontInput, own: FrontMember, at: number): FrontFile {
  const peers = members.filter(({ name }) => name !== own.name)
  return {
    path: '/etc/keepalived/keepalived.conf',
    on: own.name,
    content: lines(
      `# Incus cluster ${cluster}: ${own.name}'s part in holding ${address}.`,
      `global_defs {`,
      `  router_id ${own.name}`,
      `  script_user root`,
      `  enable_script_security`,
      `}`,
      `vrrp_script incus {`,
      `  script "/etc/keepalived/check-incus.sh"`,
      `  interval 1`,
      `  timeout 2`,
      `  fall 2`,
      `  rise 2`,
      `}`,
      `vrrp_instance incus {`,
      `  state BACKUP`,
      `  interface eth0`,
      `  virtual_router_id 51`,
      `  priority ${Math.max(1, 150 - at)}`,
      `  advert_int 1`,
      `  unicast_src_ip ${own.host}`,
      `  unicast_peer {`,
      peers.map(({ host }) => `    ${host}`),
      `  }`,
      `  virtual_ipaddress {`,
      `    ${single(address)} dev eth0`,
      `  }`,
      `  track_script {`,
      `    incus`,
      `  }`,
      `}`,
    ),
  }
}

function checkScript(own: FrontMember): FrontFile {
  return {
    path: '/etc/keepalived/check-incus.sh',
    on: own.name,
    content: lines(
      `#!/bin/sh`,
      `# Mode 755, owned by root. Fails while the API of this server does not answer.`,
      `exec ${askApi(own)}`,
    ),
  }
}
