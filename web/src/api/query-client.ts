import { focusManager, MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { lockSession, sessionLock } from '../stores/session-lock.ts'
import { ApiError } from './api-error.ts'

/**
 * Server state lives here and nowhere else. The live stream keeps it current, so nothing is read again because a
 * window got the focus; reads that found the console away are tried again, changes never.
 */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: lockWhenSignedOut }),
  mutationCache: new MutationCache({ onError: lockWhenSignedOut }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      gcTime: 10 * 60_000,
      refetchOnWindowFocus: false,
      networkMode: 'always',
      retry: triesAgain,
      retryDelay: (attempt) => Math.min(1_500, 300 * 2 ** attempt) + 300 * Math.random(),
    },
    mutations: { retry: false, networkMode: 'always' },
  },
})

/**
 * Whether a read that failed so often is tried again. A console that is started anew finishes what runs and is back within
 * seconds, and nobody shall see an error for that: ten seconds. A cluster that does not answer is told soon.
 */
export function triesAgain(failures: number, error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  if (error.code === 'offline' || error.code === 'draining') return failures < 8
  return failures < 2 && (error.status === 502 || error.status === 503)
}

/** Only a page that was open is locked; one that is just starting goes to the sign-in page instead. */
function lockWhenSignedOut(error: unknown): void {
  if (!(error instanceof ApiError) || !error.signedOut) return
  if (queryClient.getQueryData(['session']) === undefined) return
  lockSession(endOf(error))
}

/** How a session ended that was there a moment ago. */
export function endOf(error: ApiError): string {
  return error.code === 'not_signed_in' ? 'The session was ended, here or elsewhere.' : error.message
}

// A locked page asks for nothing any more: readings that repeat rest while nobody is there to see them.
sessionLock.subscribe(() => focusManager.setFocused(sessionLock.get() === null ? undefined : false))
