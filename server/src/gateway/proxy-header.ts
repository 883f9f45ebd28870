import { isIPv4, isIPv6 } from 'node:net'

export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/**
 * The PROXY protocol header of version 1 that stands before the first TLS byte, so that a member which lists this
 * console in `core.https_trusted_proxy` sees and logs the person's address. Version 1, because Incus 6.0.4 reads no
 * other; never `UNKNOWN`, on which it closes the connection. When the two addresses are of different families, both
 * are written as IPv6 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.1).
 *
 * Throws a RangeError for what is not an IP address or a port.
 */
export function proxyHeader(source: SocketAddress, destination: SocketAddress): string {
  const from = plain(source)
  const to = plain(destination)
  if (isIPv4(from) && isIPv4(to)) return `PROXY TCP4 ${from} ${to} ${source.port} ${destination.port}\r\n`
  return `PROXY TCP6 ${asIPv6(from)} ${asIPv6(to)} ${source.port} ${destination.port}\r\n`
}

/** Without a zone, and an IPv4 address that a dual-stack socket wrote as IPv6 as what it is. */
function plain({ address, port }: SocketAddress): string {
  const unzoned = address.split('%')[0] ?? ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(unzoned)?.[1]
  const text = mapped ?? unzoned
  if (!isIPv4(text) && !isIPv6(text)) throw new RangeError(`"${address}" is not an IP address`)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${port} is not a port`)
  return text.toLowerCase()
}

function asIPv6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : address
}
