// Every server has the address and announces it; the router spreads connections over all that do. The route follows the
// routing daemon and not Incus, so the address is taken away from a server whose API does not answer.

import { isIPv6 } from 'node:net'
import type { Front, FrontFile, FrontInput, FrontMember } from './front.ts'
import { askApi, lines, single } from './front.ts'
import { listenEverywhere, onlySharedAddress } from './incus-settings.ts'

/** For private use (RFC 6996). */
const system = { servers: 65_001, router: 65_000 }

export function frrBgp(input: FrontInput): Front {
  return front(input, frr, [
    {
      why: 'bgpd and bfdd are off by default.',
      on: 'every server',
      lines: ["sed -i -e 's/^bgpd=no/bgpd=yes/' -e 's/^bfdd=no/bfdd=yes/' /etc/frr/daemons", 'systemctl restart frr'],
    },
  ])
}

export function birdBgp(input: FrontInput): Front {
  return front(input, bird, [])
}

function front(
  input: FrontInput,
  configuration: (input: FrontInput, own: FrontMember) => FrontFile,
  commands: Front['commands'],
): Front {
  return {
    files: input.members.flatMap((own) => [configuration(input, own), announceScript(input, own)]),
    commands: [...commands, listenEverywhere(input), onlySharedAddress(input)],
    notes: [
      'Run incus-announce.sh as a service on every server: without it, a server whose Incus is dead or stuck keeps its share of clients for ever.',
      `The router needs the same servers as neighbours (AS ${system.servers}), BFD, and several equal paths (maximum-paths), spread by address and port (fib_multipath_hash_policy=1 on Linux).`,
      'The numbers of the autonomous systems are for private use; replace them by yours.',
    ],
  }
}

function frr({ address, router, cluster }: FrontInput, own: FrontMember): FrontFile {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return {
    path: '/etc/frr/frr.conf',
    on: own.name,
    content: lines(
      `! Incus cluster ${cluster}: ${own.name} announces ${single(address)} while it has it.`,
      `bfd`,
      ` profile incus`,
      `  detect-multiplier 3`,
      `  transmit-interval 100`,
      `  receive-interval 100`,
      ` exit`,
      `exit`,
      `router bgp ${system.servers}`,
      ...(isIPv6(own.host)
        ? [` ! Set "bgp router-id" to a number in the form of an IPv4 address.`]
        : [` bgp router-id ${own.host}`]),
      ` no bgp ebgp-requires-policy`,
      ...(family === 'ipv6' ? [` no bgp default ipv4-unicast`] : []),
      ` bgp network import-check`,
      ` neighbor ${router} remote-as ${system.router}`,
      ` neighbor ${router} bfd profile incus`,
      ` neighbor ${router} timers connect 1`,
      ` address-family ${family} unicast`,
      `  network ${single(address)}`,
      ...(family === 'ipv6' ? [`  neighbor ${router} activate`] : []),
      ` exit-address-family`,
      `exit`,
    ),
  }
}

function bird({ address, router, cluster }: FrontInput, own: FrontMember): FrontFile {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return {
    path: '/etc/bird/bird.conf',
    on: own.name,
    content: lines(
      `# Incus cluster ${cluster}: ${own.name} announces ${single(address)} while it has it.`,
      ...(isIPv6(own.host)
        ? [`# Set "router id" to a number in the form of an IPv4 address.`]
        : [`router id ${own.host};`]),
      `protocol device {`,
      `  scan time 1;`,
      `}`,
      `protocol direct incus {`,
      `  ${family};`,
      `  interface "${device}";`,
      `}`,
      `protocol bfd {`,
      `  interface "*" {`,
      `    min rx interval 100 ms;`,
      `    min tx interval 100 ms;`,
      `    multiplier 3;`,
      `  };`,
      `}`,
      `protocol bgp uplink {`,
      `  local ${own.host} as ${system.servers};`,
      `  neighbor ${router} as ${system.router};`,
      `  bfd on;`,
      `  hold time 9;`,
      `  connect retry time 1;`,
      `  ${family} {`,
      `    import none;`,
      `    export where proto = "incus" && net = ${single(address)};`,
      `  };`,
      `}`,
    ),
  }
}

/** There everywhere, and never down; a dummy device needs a kernel that has them. */
const device = 'lo'

function announceScript({ address }: FrontInput, own: FrontMember): FrontFile {
  return {
    path: '/usr/local/sbin/incus-announce.sh',
    on: own.name,
    content: lines(
      `#!/bin/sh`,
      `# Has the shared address, and so announces it, while the API of this server answers. Asked twice a second.`,
      `while :; do`,
      `  if ${askApi(own)}; then`,
      `    ip address replace ${single(address)} dev ${device}`,
      `  else`,
      `    ip address delete ${single(address)} dev ${device} 2> /dev/null || :`,
      `  fi`,
      `  sleep 0.5`,
      `done`,
    ),
  }
}
