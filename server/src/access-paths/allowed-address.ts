// Which addresses a probe of a path may go to: pure. Whoever runs the DNS of a path decides what its name leads to, and
// must not be able to make the console knock at doors of its own network.

import { BlockList, isIP } from 'node:net'

export interface AllowedNetworks {
  /** As CIDR; null for the default: public addresses. */
  readonly probeNetworks: readonly string[] | null
  /** As CIDR; where members are contacted anyhow. */
  readonly memberNetworks: readonly string[]
  /** Where members answer now. */
  readonly memberAddresses: readonly string[]
}

/** Whether an address that a name led to may be contacted. One that was configured as such always may. */
export function mayProbe(address: string, allowed: AllowedNetworks): boolean {
  if (isIP(address) === 0) return false
  if (allowed.memberAddresses.includes(address)) return true
  const configured = [...(allowed.probeNetworks ?? []), ...allowed.memberNetworks]
  if (contains(blockListOf(configured), address)) return true
  return allowed.probeNetworks === null && !contains(notPublic, address)
}

/** For special use (RFC 6890, RFC 4193, RFC 4291), metadata services of clouds among them. */
const notPublic = blockListOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])

function contains(list: BlockList, address: string): boolean {
  // An IPv4 address in the form of an IPv6 one (`::ffff:127.0.0.1`) is found among those of IPv4.
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return list
}
