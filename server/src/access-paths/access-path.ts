// What the rooms of the access paths speak of: a path as it is configured, what one visit of it showed, and what is
// known of the cluster it leads to. Nothing here does anything.

import type { PathKind } from '@malleus/shared/api/access-paths.ts'
import type { Standing, Symptom } from '@malleus/shared/domain/health.ts'
import type { Endpoint } from '../clusters/endpoint.ts'
import type { Failure } from '../health/health.ts'

/** A way into the cluster, as it was configured. */
export interface ConfiguredPath {
  readonly name: string
  readonly kind: PathKind
  readonly target:
    | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
    | { readonly kind: 'socket'; readonly socket: string }
    | { readonly kind: 'page'; readonly url: string; readonly endpoint: Endpoint }
}

/** An address a name leads to. */
export interface AddressRecord {
  readonly address: string
  /** Null where it did not come from DNS. */
  readonly ttlSeconds: number | null
}

/** A certificate that was presented on the way. */
export interface SeenCertificate {
  /** Whether it is the cluster's. */
  readonly isCluster: boolean
  readonly fingerprint: string
  /** The names and addresses it covers. */
  readonly names: readonly string[]
  /** Whether it covers the name or address that clients use here. */
  readonly covers: boolean
  readonly expiresAt: number
}

/** One new client's connection. */
export interface Visit {
  /** Those of one round were begun together. */
  readonly round: number
  /** Wall clock. */
  readonly startedAt: number
  readonly address: string
  readonly end:
    | {
        readonly kind: 'answered'
        /** As it named itself to the console; null where it does not know the console. */
        readonly server: string | null
        /** Whether the console's own certificate was recognised; null where it was not shown. */
        readonly recognised: boolean | null
        /** From the beginning to the first byte of the answer. */
        readonly ms: number
      }
    | {
        readonly kind: 'failed'
        readonly how: Failure['how']
        readonly phase: Failure['phase']
        readonly message: string
        /** For how long it was waited. */
        readonly ms: number
        /** Whether it is still waited for. */
        readonly pending: boolean
      }
  readonly certificate: SeenCertificate | null
  /** Whether something that speaks Incus's API answered behind a certificate that is not the cluster's. */
  readonly incusBehind: boolean | null
}

/** A server of the cluster, as far as the paths to it matter. */
export interface PathMember {
  readonly name: string
  readonly address: string | null
  /** All addresses at which it is known to answer. */
  readonly addresses: readonly string[]
  readonly standing: Standing
  readonly symptom: Symptom | null
  /** Its `core.https_address`; null where that was not read. */
  readonly listens: string | null
}

/** What is known of the cluster at this moment. */
export interface ClusterFacts {
  readonly members: readonly PathMember[]
  readonly hasIdentity: boolean
  /** `core.https_trusted_proxy`; null where the configuration may not be seen. */
  readonly trustedProxies: readonly string[] | null
  /** Whether people can sign in with OpenID Connect; null where that is not known. */
  readonly oidc: boolean | null
  /** `acme.domain`; null where the configuration may not be seen. */
  readonly acmeDomain: string | null
}

/** What was seen of one path. */
export interface PathEvidence {
  /** Of the last minutes, oldest first. */
  readonly visits: readonly Visit[]
  /** Null for what is no name, or while it does not resolve. */
  readonly records: readonly AddressRecord[] | null
  /** Why the name does not resolve, in words. */
  readonly resolveFailure: string | null
  /** Addresses that the console may not contact. */
  readonly forbidden: readonly string[]
  /** Changes of who holds a floating address, oldest first. */
  readonly moves: readonly Move[]
}

/** A floating address went from one server to another. */
export interface Move {
  readonly from: string
  readonly to: string
  /** Wall clock: the first answer of the new one. */
  readonly at: number
  /** Between the last answer of the one and the first of the other. */
  readonly tookMs: number
}

/** The member with that address; null where there is none. */
export function memberAt(address: string, { members }: Pick<ClusterFacts, 'members'>): PathMember | null {
  return members.find(({ addresses }) => addresses.includes(address)) ?? null
}

/** The visits of the latest rounds. */
export function latestRounds({ visits }: Pick<PathEvidence, 'visits'>, rounds: number): readonly Visit[] {
  const last = visits.at(-1)?.round ?? 0
  return visits.filter(({ round }) => round > last - rounds)
}
