import type { Caller } from './authentication.ts'
import type { Authenticator } from './authentication.ts'
import type { ClusterState } from './cluster-state.ts'
import type { EventHub, Requestor } from './events.ts'
import type { Member } from './member.ts'
import type { Operations } from './operations.ts'
import type { Recorder } from './recorder.ts'

/** The parts of the cluster that answering needs. */
export interface ClusterParts {
  readonly state: ClusterState
  readonly operations: Operations
  readonly events: EventHub
  readonly recorder: Recorder
  readonly authenticator: Authenticator
  /** Every member shows this certificate from now on. */
  presentEverywhere(): void
}

/** One request that is being answered. */
export interface Call extends ClusterParts {
  /** The member the connection ends on. */
  readonly via: Member
  readonly caller: Caller
  readonly method: string
  readonly path: string
  /** Named segments of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: unknown
  readonly ifMatch: string | undefined
  readonly peerFingerprint: string | null
  readonly peerCertificate: string | null
  readonly peerAddress: string
  /** Aborted when the client has left. */
  readonly left: AbortSignal
}

/** Who caused it, as Incus writes into events. */
export function requestorOf(call: Call): Requestor | undefined {
  if (call.caller.kind === 'nobody') return undefined
  return { username: call.caller.name, protocol: call.caller.kind, address: call.peerAddress }
}

/** Counts a mutation, at the moment it is carried out. */
export function execute(call: Call, action: string, member: Member): void {
  const { caller } = call
  call.recorder.execution({
    at: call.state.clock.now(),
    action,
    member: member.name,
    via: call.via.name,
    method: call.method,
    path: call.path,
    who: caller.kind === 'nobody' ? null : { protocol: caller.kind, name: caller.name },
    body: call.body,
  })
}

export function recursionOf(call: Call): number {
  return Number(call.query.get('recursion') ?? '0') || 0
}
