import type { IncomingMessage } from 'node:http'
import type { Call } from './call.ts'
import type { EventHub } from './events.ts'
import type { Member } from './member.ts'
import type { Wire } from './wire.ts'

/**
 * What Incus writes into its log of each request before it answers (incus `cmd/incusd/daemon.go`, `createCmd`): what it
 * is about to do, at debug level, and whom it refuses, as a warning. With a change, its body comes along, whatever is in it.
 */
export function logRequest(call: Call, request: IncomingMessage, wire: Wire, isPublic: boolean): void {
  const { events, via, caller, method } = call
  const ip = addressOf(wire)
  const url = request.url ?? ''
  if (caller.kind === 'nobody') {
    if (isPublic) debug(events, via, `Allowing untrusted ${method}`, { ip, url })
    else warn(events, via, 'Rejecting request from untrusted client', { ip })
    return
  }
  if (caller.kind === 'tls') {
    debug(events, via, 'Matched trusted cert', { fingerprint: caller.name, subject: 'CN=stand-in,O=Linux Containers' })
  }
  debug(events, via, 'Handling API request', { ip, method, protocol: caller.kind, url, username: caller.name })
  if (method === 'GET' || call.body === undefined) return
  for (const line of `API Request\n\t${JSON.stringify(call.body, null, '\t')}`.split('\n')) debug(events, via, line, {})
}

/** Somebody asked for what is nowhere, before anybody looked who it was (incus `cmd/incusd/api.go`). */
export function logUnknownPath(events: EventHub, via: Member, request: IncomingMessage, wire: Wire): void {
  const { method = '', url = '' } = request
  say(events, via, 'info', 'Sending top level 404', { method, remote: addressOf(wire), url }, true)
}

function debug(events: EventHub, via: Member, message: string, context: Readonly<Record<string, string>>): void {
  say(events, via, 'debug', message, context, true)
}

function warn(events: EventHub, via: Member, message: string, context: Readonly<Record<string, string>>): void {
  say(events, via, 'warning', message, context, false)
}

function say(
  events: EventHub,
  location: Member,
  level: string,
  message: string,
  context: Readonly<Record<string, string>>,
  local: boolean,
): void {
  if (local && !events.isHeard('logging', location)) return
  events.send({ type: 'logging', location, metadata: { context, level, message }, local })
}

function addressOf({ peerAddress, peerPort }: Wire): string {
  return peerAddress.includes(':') ? `[${peerAddress}]:${peerPort}` : `${peerAddress}:${peerPort}`
}
