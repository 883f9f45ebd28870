import { endMySession, endSession, listMySessions, listSessions } from '@malleus/shared/api/sessions.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'

export const mySessionsQuery = queryOptions({
  queryKey: ['sessions', 'mine'],
  queryFn: ({ signal }) => call(listMySessions, {}, { signal }),
  refetchInterval: 30_000,
})

export const allSessionsQuery = queryOptions({
  queryKey: ['sessions', 'all'],
  queryFn: ({ signal }) => call(listSessions, {}, { signal }),
  refetchInterval: 30_000,
})

/** Ends a session: one of one's own, or, as an administrator, anybody's. */
export function useEndSession(whose: 'mine' | 'all') {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => call(whose === 'mine' ? endMySession : endSession, { body: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
}
