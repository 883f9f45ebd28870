import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { Logger } from '../lib/logger.ts'
import type { Principal } from './principal.ts'
import type { EndKind } from './session-store.ts'
import type { SessionEnd, Sessions } from './sessions.ts'

/** What signing in and out tells the access history; the audit log takes it as it is. */
export interface SessionHistory {
  /** Durable when it resolves; throws with the code `audit_unavailable` when it cannot be. */
  intent(entry: SessionEntry): Promise<void>
  outcome(entry: SessionEntry): void
  record(entry: SessionEntry): void
}

export type SessionEntry = Omit<AuditRecord, 'v' | 'chain' | 'seq' | 'ts' | 'phase' | 'prev' | 'hash'>

/** A request to one of the pages, as far as the history keeps it. */
export interface PageSource {
  readonly requestId: string
  readonly clientAddress: string
  readonly via: string | null
}

export function sessionEntry(
  action: Action,
  source: PageSource & { readonly method: 'GET' | 'POST'; readonly route: string },
  said: Pick<SessionEntry, 'decision'> & Partial<SessionEntry>,
): SessionEntry {
  const { requestId, clientAddress, via, method, route } = source
  return {
    ...nothingSaid,
    action,
    src: { ip: clientAddress, via },
    req: {
      id: requestId,
      method,
      route,
      path: route,
      query: [],
      project: null,
      placement: null,
      body: null,
      changed: [],
      count: 1,
    },
    ...said,
  }
}

/** Who a session belongs to; while there is none yet, its tag is empty. */
export function actorOf(person: Omit<Principal, 'email' | 'groups'>): SessionEntry['actor'] {
  const { iss, sub, name, roles, authTime, amr, sessionTag } = person
  const session = sessionTag === '' ? null : sessionTag
  return { iss, sub, name, roles: [...roles], session, authTime, amr: [...amr], protocol: null }
}

/**
 * Records every session that ends without its person signing out, which is recorded where it happens. Returns what ends
 * the recording.
 */
export function recordEnds(sessions: Pick<Sessions, 'subscribe'>, history: SessionHistory, logger: Logger): () => void {
  return sessions.subscribe((end) => {
    if (end.kind === 'signed-out') return
    try {
      history.record(endEntry(end))
    } catch (error) {
      // The session has ended whether that can be recorded or not.
      logger.error({ err: error, session: end.sessionTag, kind: end.kind }, 'The end of a session was not recorded')
    }
  })
}

const refreshEnds: readonly EndKind[] = ['refresh-refused', 'refresh-lost', 'token-expired']

function endEntry({ kind, principal, sessionTag }: SessionEnd): SessionEntry {
  const nobody = { iss: null, sub: null, name: '', roles: [], authTime: null, amr: [], protocol: null }
  return {
    ...nothingSaid,
    action: refreshEnds.includes(kind) ? 'session.refresh' : 'session.end',
    actor: principal === null ? { ...nobody, session: sessionTag } : actorOf(principal),
    // A session that could not be renewed is a refusal of the provider's; the others ended as they should.
    decision: { allow: !refreshEnds.includes(kind), rule: kind },
  }
}

const nothingSaid: Omit<SessionEntry, 'action' | 'decision'> = {
  source: 'console',
  cluster: null,
  actor: null,
  src: { ip: null, via: null },
  req: null,
  object: null,
  up: null,
  out: null,
}
