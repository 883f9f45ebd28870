import { getSession, reportActivity, SignedOut } from '@malleus/shared/api/session.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import { queryOptions } from '@tanstack/react-query'
import { errorFromNetwork, errorFromResponse } from './api-error.ts'
import { askFor, call } from './client.ts'
import { leavePage } from '../stores/session-lock.ts'
import { queryClient } from './query-client.ts'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const session = await call(getSession, {}, { signal })
    askFor(session.principal.tag)
    return session
  },
  staleTime: 60_000,
})

/**
 * Whether the person may read something in a cluster, as far as the session that was read last tells. What they may not
 * is not asked for: a refusal would be recorded, and shown nowhere.
 */
export function maySee(cluster: string, action: Action): boolean {
  return queryClient.getQueryData(sessionQuery.queryKey)?.permissions[cluster]?.includes(action) ?? false
}

/** Whether the person may follow what changes, in any cluster. */
export function mayFollow(): boolean {
  const permissions = queryClient.getQueryData(sessionQuery.queryKey)?.permissions ?? {}
  return Object.values(permissions).some((actions) => actions.includes('live.read'))
}

/** Tells the console that the person is there, and learns until when that keeps the session open. */
export async function keepSession(): Promise<void> {
  const times = await call(reportActivity, { body: {} })
  queryClient.setQueryData(sessionQuery.queryKey, (session) => session && { ...session, ...times })
}

/**
 * Ends the session here; gives the address at the provider where it ends there too. The page is left for it: that it
 * has no session by then is no news.
 */
export async function signOut(): Promise<string> {
  const stay = leavePage()
  try {
    return await endSession()
  } catch (error) {
    stay()
    throw error
  }
}

async function endSession(): Promise<string> {
  let response: Response
  try {
    response = await fetch('/auth/logout', {
      method: 'POST',
      headers: { 'x-console-request': '1', 'content-type': 'application/json' },
      body: '{}',
    })
  } catch (cause) {
    throw errorFromNetwork(cause, true)
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) throw errorFromResponse(response.status, body, undefined)
  const signedOut = SignedOut.safeParse(body)
  return signedOut.success ? signedOut.data.continueTo : '/sign-in'
}
