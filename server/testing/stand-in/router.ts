import type { Need } from './authorization.ts'
import type { Call } from './call.ts'
import type { Reply } from './replies.ts'

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for a segment. */
  path: string
  need: Need
  /** Answered from memory; everything else asks the cluster database first. */
  withoutDatabase?: boolean
  /** Wants to know who leads the cluster database. */
  looksUpLeader?: boolean
  answer(call: Call): Promise<Reply> | Reply
}

export type Found =
  | { kind: 'route'; route: Route; params: Record<string, string> }
  | { kind: 'no-method' }
  | { kind: 'no-path' }

/** The route of a method and a path. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const segments = path.split('/').filter((segment) => segment !== '')
  let pathIsKnown = false
  for (const route of routes) {
    const params = match(route.path, segments)
    if (params === undefined) continue
    if (route.method === method) return { kind: 'route', route, params }
    pathIsKnown = true
  }
  return pathIsKnown ? { kind: 'no-method' } : { kind: 'no-path' }
}

function match(pattern: string, segments: readonly string[]): Record<string, string> | undefined {
  const expected = pattern.split('/').filter((segment) => segment !== '')
  if (expected.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, want] of expected.entries()) {
    const have = segments[index] ?? ''
    if (want.startsWith(':')) params[want.slice(1)] = decode(have)
    else if (want !== have) return undefined
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
