import { isIP, isIPv6 } from 'node:net'

/** One address and port where one member answers. `host` is a name or an IP address, IPv6 without brackets. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** The port of the Incus API when none is given. */
export const DEFAULT_PORT = 8443

/** `10.20.0.11:8443`, `server1.example.net:8443`, `[fd00::11]:8443`. Two endpoints are the same when this is. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/**
 * Reads `host`, `host:port`, `[v6]:port`, a bare IPv6 address, or an https URL with nothing after its authority, as
 * Incus lists its members. Names become lower case. Throws a RangeError that says what is expected.
 */
export function parseEndpoint(text: string): Endpoint {
  const authority = /^https:\/\/([^/?#@]+)\/?$/.exec(text)?.[1] ?? text
  if (isIPv6(authority)) return { host: authority.toLowerCase(), port: DEFAULT_PORT }
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority)
  const host = (parts?.[1] ?? parts?.[2] ?? '').toLowerCase()
  const port = parts?.[3] === undefined ? DEFAULT_PORT : Number(parts[3])
  const bracketed = parts?.[1] !== undefined
  if (bracketed !== isIPv6(host) || !isHost(host) || port < 1 || port > 65_535) {
    throw new RangeError(`"${text}" is not an address and port, such as 10.20.0.11:8443 or [fd00::11]:8443`)
  }
  return { host, port }
}

/** A dotted number that is no IPv4 address, such as 10.20.0.300, is no name either (RFC 1123, 2.1). */
function isHost(host: string): boolean {
  return isIP(host) !== 0 || (HOST_NAME.test(host) && !/(^|\.)\d+$/.test(host))
}
