import { type BlockList, isIP, isIPv4 } from 'node:net'

export interface ClientAddress {
  /** The person's address. */
  readonly ip: string
  /** The proxy that the connection came from, when there is a trusted one. */
  readonly via: string | null
}

/**
 * Who is at the other end. `X-Forwarded-For` is read from right to left, each entry believed only when everything to
 * its right is a trusted proxy; the first that is not one is the client. What is not an address ends the reading.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: BlockList,
): ClientAddress {
  const own = normalised(peer ?? '') ?? 'unknown'
  if (forwardedFor === undefined || !isTrusted(own, trusted)) return { ip: own, via: null }
  let ip = own
  for (const entry of forwardedFor.split(',').toReversed()) {
    const address = normalised(entry.trim())
    if (address === undefined) break
    ip = address
    if (!isTrusted(address, trusted)) break
  }
  return { ip, via: ip === own ? null : own }
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return isIP(address) !== 0 && trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** The bare address: without a port, brackets, or the prefix of an IPv4 address in IPv6. */
function normalised(text: string): string | undefined {
  if (isIPv4(text)) return text
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
  return isIP(mapped) === 0 ? undefined : mapped
}
