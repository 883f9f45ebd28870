import type { BlockList } from 'node:net'
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AuthPages } from './auth-pages.ts'
import type { Draining } from './draining.ts'
import type { EventStream } from './event-stream.ts'
import type { DoorMetrics } from './metrics.ts'
import type { RequestContext, Route } from './route.ts'
import type { StaticSite } from './static-site.ts'

/** Who asks; the door knows the type from the context it hands to handlers. */
export type Principal = RequestContext['principal']

/** All that the door needs of the house. It imports none of it: sessions, policy and history reach it from outside. */
export interface Door {
  readonly settings: DoorSettings
  readonly routes: readonly Route[]
  /** Whose session the cookies of a request belong to. Must not throw for any text. */
  readonly findSession: (cookieHeader: string | undefined) => Promise<FoundSession>
  readonly policy: DoorPolicy
  /** Whether the person proved recently enough who they are for what needs step-up. */
  readonly provenLately: (principal: Principal) => boolean
  readonly audit: DoorAudit
  /** By which equal bodies can be recognised in the history, and none can be read. */
  readonly bodyTag: (body: Uint8Array) => string
  readonly idempotency: DoorIdempotency
  readonly pages: AuthPages
  readonly site: StaticSite
  /** What a ticket is for, in the session that asked for it; undefined where it is for nothing, or was used. */
  readonly takeDownload: (ticket: string, session: string) => DoorDownload | undefined
  /** Takes over a live stream; it is open until the browser goes or `close` is called. */
  readonly openLive: (live: LiveOpening) => void
  readonly draining: Draining
  readonly metrics: DoorMetrics
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface DoorSettings {
  /** Scheme, host and port of the public URL: the only origin that browsers may come from. */
  readonly origin: string
  /** Both PEM; null for plain HTTP. */
  readonly tls: { readonly certificate: string; readonly key: string } | null
  readonly trustedProxies: BlockList
  /** For the API description. */
  readonly version: string
  readonly limits: DoorLimits
}

export interface DoorLimits {
  readonly urlBytes: number
  readonly headerBytes: number
  readonly headerCount: number
  readonly jsonBytes: number
  readonly jsonDepth: number
  readonly jsonKeys: number
  readonly bodyIdleMs: number
  readonly requestsPerSecond: number
  readonly requestBurst: number
  readonly anonymousPerSecond: number
  readonly signInsPerMinute: number
  readonly reportsPerMinute: number
  readonly readMs: number
  readonly listMs: number
  readonly mutationMs: number
  readonly longPollMs: number
}

/** One signed-in browser, as far as the door has to do with it. */
export interface DoorSession {
  readonly principal: Principal
  /** The person's authority towards a cluster; `clientAddress` is told to members that want to know it. */
  scope(cluster: string, clientAddress: string): ReturnType<RequestContext['scope']>
  touch(): ReturnType<RequestContext['touch']>
}

/**
 * `none`: no session cookie. `ended`: there is one, and no session that it opens; `cookies` are the `Set-Cookie` values
 * that make the browser forget it. `renewed`: the browser has another one by now, and this request left before it came.
 */
export type FoundSession =
  | { readonly kind: 'found'; readonly session: DoorSession }
  | { readonly kind: 'none' }
  | { readonly kind: 'ended'; readonly cookies?: readonly string[]; readonly renewed?: true }

export interface DoorPolicy {
  may(
    person: { readonly groups: readonly string[] },
    action: Action,
    place: { readonly cluster?: string; readonly project?: string },
  ): { readonly allow: boolean; readonly rule: string }
}

export type DoorAuditEntry = Omit<AuditRecord, 'v' | 'chain' | 'seq' | 'ts' | 'phase' | 'prev' | 'hash'>

/** The access history. Each throws an error with the code `audit_unavailable` when it cannot take the entry. */
export interface DoorAudit {
  /** Durable when it resolves; nothing is done before. */
  intent(entry: DoorAuditEntry): Promise<void>
  outcome(entry: DoorAuditEntry): void
  /** Refusals. */
  record(entry: DoorAuditEntry): void
  /** Somebody looks at something. */
  read(entry: DoorAuditEntry): Promise<void>
  /** Whether nobody may be answered before their read is recorded: each has to be durable, or there is no room. */
  readonly readsWait: boolean
}

/** A reply that can be given again. */
export interface KeptReply {
  readonly status: number
  /** JSON. */
  readonly body: string
  readonly via: string | null
  readonly attempts: number
}

export interface DoorIdempotency {
  /**
   * Does the work once per key and person; gives the kept reply to whoever asks again with the same key and body.
   * Throws with the code `idempotency_key_reused` or `already_running`.
   */
  run(
    request: { readonly key: string; readonly principal: Principal; readonly bodyHash: string },
    work: () => Promise<KeptReply>,
  ): Promise<KeptReply>
}

/** A file on its way to a browser. */
export interface DoorDownload {
  readonly name: string
  readonly type: string
  readonly pieces: () => AsyncIterable<Buffer>
  readonly ended: (how: { readonly whole: boolean; readonly bytes: number }) => void
}

export interface LiveOpening {
  readonly principal: Principal
  readonly session: DoorSession
  readonly clientAddress: string
  readonly lastEventId: string | null
  readonly stream: EventStream
  /**
   * The same session as it is now, with the rights the person has by now; null when it has ended, `renewed` when the
   * browser has another one in its place.
   */
  readonly sessionNow: () => Promise<DoorSession | 'renewed' | null>
}
