// What the request log is made of, and the one place that reads logging events. Such an event can carry anything: at
// debug level the whole body of a change, private keys and tokens included, goes through them (incus
// `internal/server/util/http.go`, `DebugJSON`). So nothing leaves this file but the fields of the few lines that are
// known to say who asked for what, each of them checked for itself; all the rest is as if it had never come.

import { isIP } from 'node:net'
import { z } from 'zod'
import type { AskedPath } from './asked-path.ts'
import { readAskedPath } from './asked-path.ts'

/**
 * One line of a member's request log. `handled`: it knew who asked, and went on to answer; what it answered is in no
 * line. `open`: anybody may ask for that, and somebody did whom it does not know. `refused`: it did not know who asked, and
 * said no. `unknown-path`: nothing is there, for whoever asked.
 */
export interface AccessLine {
  readonly kind: 'handled' | 'open' | 'refused' | 'unknown-path'
  /** Unique: the member, and its time to the nanosecond. */
  readonly id: string
  /** By the member's clock, in milliseconds since 1970. */
  readonly at: number
  readonly member: string
  /** A certificate's fingerprint for `tls`, the user's name for `oidc` and `unix`; null when nobody knew. */
  readonly user: { readonly name: string; readonly protocol: 'tls' | 'oidc' | 'unix' } | null
  /** Null over the unix socket. */
  readonly address: string | null
  /** Null where the line does not say: of whom it refuses, Incus writes down the address alone. */
  readonly method: string | null
  readonly asked: AskedPath | null
}

/**
 * Reads a logging event; null for all but access lines, and for what members ask of each other.
 *
 * @param member whose stream it came on: what others say arrives on their own
 */
export function readAccessLine(json: unknown, member: string): AccessLine | null {
  const event = Event.safeParse(json)
  if (!event.success) return null
  const { timestamp, location, metadata } = event.data
  if (location !== '' && location !== 'none' && location !== member) return null
  const said = whatItSays(metadata)
  if (said === null) return null
  return { ...said, id: `${member}@${timestamp}`, at: Date.parse(timestamp), member }
}

type Said = Omit<AccessLine, 'id' | 'at' | 'member'>

/** The messages of incus `cmd/incusd/daemon.go` (`createCmd`, `Authenticate`) and `cmd/incusd/api.go`, the same in 6.0 and 7.x. */
function whatItSays({ message, context }: z.infer<typeof Metadata>): Said | null {
  if (message === 'Handling API request') {
    const line = Handled.safeParse(context)
    if (!line.success) return null
    const { ip, method, protocol, url, username } = line.data
    return { kind: 'handled', user: { name: username, protocol }, address: ip, method, asked: readAskedPath(url) }
  }
  if (message.startsWith(untrusted)) {
    const method = Method.safeParse(message.slice(untrusted.length))
    const line = Open.safeParse(context)
    if (!method.success || !line.success) return null
    const { ip, url } = line.data
    return { kind: 'open', user: null, address: ip, method: method.data, asked: readAskedPath(url) }
  }
  if (message === 'Rejecting request from untrusted client' || message === 'Rejecting remote internal API request') {
    const line = Refused.safeParse(context)
    return line.success ? { kind: 'refused', user: null, address: line.data.ip, method: null, asked: null } : null
  }
  if (message === 'Sending top level 404') {
    const line = UnknownPath.safeParse(context)
    if (!line.success) return null
    // What was asked for is whatever a stranger wrote.
    return { kind: 'unknown-path', user: null, address: line.data.remote, method: line.data.method, asked: null }
  }
  return null
}

const untrusted = 'Allowing untrusted '

const Metadata = z.object({ message: z.string().max(100), context: z.unknown() })

const Event = z.object({
  type: z.literal('logging'),
  timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/),
  location: z.string().default(''),
  metadata: Metadata,
})

/** `10.0.0.1:4711`, `[fd00::1]:4711`, or `@` for the unix socket; without the port. */
const Address = z.string().transform((text, context) => {
  if (text === '@' || text === '') return null
  const [, six, four] = /^(?:\[([^\]]+)\]|([^:]+)):\d{1,5}$/.exec(text) ?? []
  const address = six ?? four ?? text
  if (isIP(address) !== 0) return address
  context.addIssue({ code: 'custom', message: 'no address' })
  return z.NEVER
})

const Method = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const Url = z.string().max(8192)

/** `cluster` is a member that asks for somebody else, whose own request is in the log of the member it came to. */
const Handled = z
  .object({ ip: Address, method: Method, url: Url })
  .and(
    z.discriminatedUnion('protocol', [
      z.object({ protocol: z.literal('tls'), username: z.string().regex(/^[0-9a-f]{64}$/) }),
      z.object({ protocol: z.literal('oidc'), username: z.string().regex(/^[^\p{C}]{1,320}$/u) }),
      z.object({ protocol: z.literal('unix'), username: z.string().regex(/^[^\p{C}]{1,64}$/u) }),
    ]),
  )

const Open = z.object({ ip: Address, url: Url })
const Refused = z.object({ ip: Address })
const UnknownPath = z.object({ remote: Address, method: Method })
