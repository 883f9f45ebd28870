import { isIPv6 } from 'node:net'
import type { Front, FrontFile, FrontInput, FrontMember } from './front.ts'
import { askApi, lines, single } from './front.ts'
import { listenEverywhere, onlySharedAddress } from './incus-settings.ts'

const group = 51

/** FRR's VRRP: it needs a macvlan with the virtual MAC address (FRR's VRRP guide), and something that looks at the API. */
export function frrVrrp(input: FrontInput): Front {
  return {
    files: input.members.flatMap((own, at) => [
      configuration(input, own, at),
      interfaceScript(input, own),
      healthScript(own),
    ]),
    commands: [
      {
        why: 'vrrpd is off by default.',
        on: 'every server',
        lines: ["sed -i 's/^vrrpd=no/vrrpd=yes/' /etc/frr/daemons", 'systemctl restart frr'],
      },
      listenEverywhere(input),
      onlySharedAddress(input),
    ],
    notes: [
      'Run incus-vrrp-interface.sh before FRR starts, and incus-vrrp-health.sh as a service beside it.',
      'Replace eth0 by the interface that has the address of the server.',
    ],
  }
}

function configuration({ address, cluster }: FrontInput, own: FrontMember, at: number): FrontFile {
  const family = isIPv6(address) ? 'ipv6' : 'ip'
  return {
    path: '/etc/frr/frr.conf',
    on: own.name,
    content: lines(
      `! Incus cluster ${cluster}: ${own.name}'s part in holding ${address}.`,
      `interface eth0`,
      ` vrrp ${group} version 3`,
      ` vrrp ${group} priority ${Math.max(1, 150 - at)}`,
      ` vrrp ${group} advertisement-interval 1000`,
      ` vrrp ${group} ${family} ${address}`,
      `exit`,
    ),
  }
}

function interfaceScript({ address }: FrontInput, own: FrontMember): FrontFile {
  const [device, mac] = isIPv6(address) ? ['vrrp6-incus', '00:00:5e:00:02:33'] : ['vrrp4-incus', '00:00:5e:00:01:33']
  return {
    path: '/usr/local/sbin/incus-vrrp-interface.sh',
    on: own.name,
    content: lines(
      `#!/bin/sh -e`,
      `# The last byte of the address is the number of the group: 0x33 is ${group} (RFC 5798, 7.3).`,
      `ip link add ${device} link eth0 addrgenmode random type macvlan mode bridge`,
      `ip link set dev ${device} address ${mac}`,
      `ip address add ${single(address)} dev ${device}`,
      `ip link set dev ${device} up`,
    ),
  }
}

function healthScript(own: FrontMember): FrontFile {
  return {
    path: '/usr/local/sbin/incus-vrrp-health.sh',
    on: own.name,
    content: lines(
      `#!/bin/sh`,
      `# Takes this server out of VRRP while its API does not answer.`,
      `was=up`,
      `while :; do`,
      `  if ${askApi(own)}; then now=up; else now=down; fi`,
      `  if [ "$now" != "$was" ]; then`,
      `    no=; [ "$now" = up ] && no='no '`,
      `    vtysh -c 'configure terminal' -c 'interface eth0' -c "\${no}vrrp ${group} shutdown"`,
      `    was=$now`,
      `  fi`,
      `  sleep 0.5`,
      `done`,
    ),
  }
}
