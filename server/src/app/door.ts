import { networkSet } from '../config/address.ts'
import type { Config } from '../config.ts'
import { bodyTag } from '../audit/record.ts'
import type { DownloadTickets } from '../downloads/download-tickets.ts'
import type { Door, DoorSession, FoundSession, LiveOpening } from '../http/door.ts'
import type { Draining } from '../http/draining.ts'
import type { DoorMetrics } from '../http/metrics.ts'
import type { Route } from '../http/route.ts'
import { loadStaticSite } from '../http/static-site.ts'
import type { LiveHub, LiveListener } from '../live/live-hub.ts'
import { openIdempotencyKeys } from '../mutations/idempotency.ts'
import { SqliteIdempotencyStore } from '../mutations/idempotency-store.sqlite.ts'
import type { Policy } from '../policy/policy.ts'
import { expireSessionCookie } from '../session/cookies.ts'
import type { Session } from '../session/sessions.ts'
import { isProvenLately } from '../session/step-up.ts'
import { authorityOf } from './authority.ts'
import { liveRightsOf, liveViewOf } from './live-view.ts'
import type { Tools } from './cluster-parts.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import type { SignIn } from './sign-in.ts'
import type { Storage } from './storage.ts'
import type { Watches } from './watches.ts'

export interface DoorParts {
  readonly config: Config
  readonly version: string
  readonly storage: Storage
  readonly policy: Policy
  readonly signIn: SignIn
  readonly hub: LiveHub
  readonly watches: Watches
  readonly rooms: (cluster: string) => ClusterRooms
  readonly routes: readonly Route[]
  readonly draining: Draining
  readonly metrics: DoorMetrics
  readonly siteFolder: string
  readonly downloads: DownloadTickets
  readonly tools: Tools
}

/** Everything the door in needs of the house, as functions. */
export async function createDoor(parts: DoorParts): Promise<Door> {
  const { config, storage, policy, signIn, tools } = parts
  const { keys, database, history } = storage
  return {
    settings: {
      origin: new URL(config.publicUrl).origin,
      tls: config.tls,
      trustedProxies: networkSet(config.trustedProxies),
      version: parts.version,
      limits: config.limits,
    },
    routes: parts.routes,
    findSession: (cookieHeader) => findSession(parts, cookieHeader),
    policy,
    provenLately: ({ authTime }) => isProvenLately(authTime, tools.clock.now()),
    audit: history,
    bodyTag: (body) => bodyTag(keys.hmac, body),
    idempotency: await openIdempotencyKeys({
      store: new SqliteIdempotencyStore(database),
      hmacKey: keys.hmac,
      ...tools,
    }),
    pages: signIn.pages,
    site: await loadStaticSite(parts.siteFolder, tools.random),
    takeDownload: (ticket, session) => parts.downloads.take(ticket, session),
    openLive: (opening) => openLive(parts, opening),
    draining: parts.draining,
    metrics: parts.metrics,
    ...tools,
  }
}

async function findSession(parts: DoorParts, cookieHeader: string | undefined): Promise<FoundSession> {
  const found = await parts.signIn.sessions.find(cookieHeader)
  if (found.kind === 'found') return { kind: 'found', session: doorSession(parts, found.session) }
  if (found.kind === 'none') return found
  // The browser has got another one meanwhile, which an answer to what it had asked before must not take from it.
  if (found.why === 'renewed') return { kind: 'ended', renewed: true }
  return { kind: 'ended', cookies: [expireSessionCookie()] }
}

function doorSession({ signIn, policy, rooms, tools }: DoorParts, session: Session): DoorSession {
  const { sessions } = signIn
  return {
    principal: session.principal,
    scope: (cluster, clientAddress) => {
      const scope = authorityOf(session, rooms(cluster).parts, sessions, policy, clientAddress)
      if (scope.kind === 'certificate') renewBehind(sessions, session, tools)
      return Promise.resolve(scope)
    },
    touch: () => sessions.touch(session),
  }
}

/**
 * Where the console's certificate goes to the members, nobody needs the person's token; it is renewed all the same,
 * because that is how the provider says who has left and who is in other groups now.
 */
function renewBehind(sessions: SignIn['sessions'], session: Session, { logger }: Tools): void {
  if (sessions.refreshToken(session) === null) return
  sessions.accessToken(session, null).catch((error: unknown) => {
    logger.debug({ err: error, session: session.principal.sessionTag }, 'A session was not renewed')
  })
}

function openLive(parts: DoorParts, opening: LiveOpening): void {
  const { policy, hub, watches } = parts
  const { principal, session, clientAddress, stream, lastEventId, sessionNow } = opening
  const view = liveViewOf(parts, { principal, scope: (cluster) => session.scope(cluster, clientAddress) })
  const listener: LiveListener = {
    ...view,
    session: principal.sessionTag,
    recheck: async () => {
      const now = await sessionNow()
      if (now === null) return 'ended'
      if (now === 'renewed') return 'changed'
      if (liveRightsOf(policy, now.principal).key !== view.key) return 'changed'
      // The stream may have begun with another session of the same person, which has ended since.
      for (const cluster of view.clusters) watches.get(cluster, await now.scope(cluster, clientAddress))
      return 'stands'
    },
  }
  hub.open(listener, stream, lastEventId)
}
