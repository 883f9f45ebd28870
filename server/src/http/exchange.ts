import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { ClientAddress } from './client-address.ts'
import type { DoorAuditEntry, DoorSession, Principal } from './door.ts'
import type { RequestPath } from './request-path.ts'

/** One request on its way through the door, and what has been learned of it so far. */
export interface Exchange {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly client: ClientAddress
  /** Monotonic, in milliseconds. */
  readonly startedAt: number
  path: RequestPath
  session: DoorSession | null
  /** Template of the route, e.g. `/api/clusters/:cluster/members`; empty until one was found. */
  route: string
  action: Action | 'request'
  cluster: string | null
  object: string | null
  project: string | null
  body: { readonly tag: string; readonly keys: readonly string[] } | null
  /** Whose authority went to the cluster, once it was asked for. */
  mode: 'bearer' | 'certificate' | null
  answer: Answered | null
  /** How policy decided; null before it did. */
  decision: { readonly allow: boolean; readonly rule: string } | null
  /** How far the history knows of it: not at all, that it is about to be done, or how it ended. */
  recorded: 'no' | 'intent' | 'whole'
}

export interface Answered {
  readonly via: string
  readonly attempts: number
  readonly hedged: boolean
  readonly operation: string | null
}

/** How it ended, as the history keeps it. */
export interface Out {
  readonly status: number
  readonly code: string | null
  readonly bytes: number | null
  readonly ms: number
}

const exchanges = new WeakMap<IncomingMessage, Exchange>()

export function beginExchange(known: Pick<Exchange, 'id' | 'request' | 'response' | 'client' | 'startedAt'>): Exchange {
  const exchange: Exchange = {
    ...known,
    method: known.request.method ?? '',
    path: { raw: (known.request.url ?? '').split('?', 1)[0] ?? '', segments: [], query: '' },
    session: null,
    route: '',
    action: 'request',
    cluster: null,
    object: null,
    project: null,
    body: null,
    mode: null,
    answer: null,
    decision: null,
    recorded: 'no',
  }
  exchanges.set(known.request, exchange)
  return exchange
}

/** The exchange of a request that came through `beginExchange`. */
export function exchangeOf(request: IncomingMessage): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new TypeError('a request that did not come through the door')
  return exchange
}

/** The exchange as the access history keeps it; `out` is null as long as nothing was done. */
export function auditEntryOf(exchange: Exchange, out: Out | null): DoorAuditEntry {
  const { answer, session, client, path, body } = exchange
  return {
    source: 'console',
    action: exchange.action,
    cluster: exchange.cluster,
    object: exchange.object,
    actor: session === null ? null : actorOf(session.principal),
    src: { ip: client.ip, via: client.via },
    req: {
      id: exchange.id,
      method: exchange.method,
      route: exchange.route,
      path: path.raw,
      query: queryKeys(path.query),
      project: exchange.project,
      placement: null,
      body: body?.tag ?? null,
      changed: [...(body?.keys ?? [])],
      count: 1,
    },
    up:
      answer === null
        ? null
        : {
            via: answer.via,
            mode: exchange.mode ?? 'certificate',
            attempts: answer.attempts,
            hedged: answer.hedged,
            incusUser: null,
          },
    decision: exchange.decision ?? { allow: true, rule: '' },
    out: out === null ? null : { ...out, op: answer?.operation ?? null, opStatus: null },
  }
}

function actorOf(principal: Principal): NonNullable<DoorAuditEntry['actor']> {
  const { iss, sub, name, roles, sessionTag, authTime, amr } = principal
  return { iss, sub, name, roles: [...roles], session: sessionTag, authTime, amr: [...amr], protocol: null }
}

/** Names only: what was asked for may be a secret, that it was asked for is not. */
function queryKeys(query: string): string[] {
  return query === '' ? [] : query.split('&', 20).map((pair) => (pair.split('=', 1)[0] ?? '').slice(0, 64))
}
