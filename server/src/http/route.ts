import type { BodyOf, Endpoint, Immutable, ParamsOf, QueryOf, ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import type { Answer, RequestClass } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Principal } from '../session/principal.ts'

/**
 * One row of the route table: what is asked (the endpoint), what is done (the action, by which policy decides and the
 * history records), how it is carried (the class), and who answers (the handler). A row without one of them does not
 * compile, so nothing can be unparsed, unauthorized or unrecorded by oversight.
 */
export interface Route<E extends Endpoint = Endpoint> {
  readonly endpoint: E
  readonly action: Action | ((body: BodyOf<E>) => Action)
  readonly class: RequestClass
  /** Name of the object it is done to, for the access history; default: the last parameter of the path. */
  readonly object?: (params: ParamsOf<E>, body: BodyOf<E>) => string | null
  /**
   * The project that what it is done to belongs to, as the request says; who has a role in that project may do it. The
   * handler has to see that it is so. Default, and null: it is done to the cluster as a whole.
   */
  readonly project?: (body: BodyOf<E>) => string | null
  /**
   * It reaches so far that the person has to have proved within five minutes who they are; else 403 `step_up_required`,
   * before anything is recorded as begun or sent. Where it depends, the words complete "Needs step-up …".
   */
  readonly stepUp?: true | StepUpWhen<E>
  /** Its path has `:cluster`, which must be one that the person may see; else 404. Derived from the path. */
  readonly handler: (context: RequestContext, input: RouteInput<E>) => Promise<Immutable<ReplyOf<E>>>
  /**
   * Its reply holds a secret that is shown once: no copy of it is kept, and who asks again with the same key is told that
   * it was done, with the operation that it began (`answeredBy`).
   */
  readonly secret?: true
  /** Status of a success; default 200. */
  readonly status?: 200 | 201 | 202
  /**
   * Whether large replies may be compressed. Only where the reply repeats nothing of the request and holds no secret:
   * the size of what is compressed tells of it (BREACH, https://breachattack.com).
   */
  readonly packed?: true
}

/** What of a route needs step-up, in words that complete "Needs step-up …" and as the rule for a request. */
export interface StepUpWhen<E extends Endpoint = Endpoint> {
  readonly when: string
  readonly applies: (input: RouteInput<E>, principal: Principal) => boolean
}

export interface RouteInput<E> {
  readonly params: ParamsOf<E>
  readonly query: QueryOf<E>
  readonly body: BodyOf<E>
}

/** What a handler knows of the request beside its input. It never sees Express. */
export interface RequestContext {
  readonly requestId: string
  readonly principal: Principal
  /** The person's address: the peer, or what trusted proxies say. */
  readonly clientAddress: string
  /** `X-Malleus-Target`: through which members the person wants the request to enter. */
  readonly target: Target
  /** The person's authority towards a cluster; refreshes the access token when it is about to end. */
  scope(cluster: string): Promise<Scope>
  /** Notes by which member and in how many attempts Incus was asked, for headers and the access history. */
  answeredBy(answer: Pick<Answer<unknown>, 'via' | 'attempts' | 'hedged'>, operation?: string | null): void
  /** Keeps the session from locking, as a person's input does. */
  touch(): Promise<{ readonly idleExpiresAt: string; readonly expiresAt: string }>
  /** Ends when the browser has gone or the deadline of the class has passed. */
  readonly signal: AbortSignal
}

/** Gives the row back with its types checked against the endpoint. */
export function route<E extends Endpoint>(row: Route<E>): Route {
  // The table holds rows of many endpoints; each was checked against its own here, and its input is parsed by the
  // endpoint's own schemas before the handler sees it.
  return row
}
