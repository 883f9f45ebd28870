import { listAlerts, testAlertSink, type AlertSinkName } from '@malleus/shared/api/alerts.ts'
import { queryOptions, useMutation } from '@tanstack/react-query'
import { call } from './client.ts'

const rereadMs = 5 * 60_000

/** Certificates that end, of all clusters that the person sees. They end in days, so it is read rarely. */
export const alertListQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: ({ signal }) => call(listAlerts, {}, { signal }),
  staleTime: rereadMs,
  refetchInterval: rereadMs,
})

/** Sends a test message; a delivery that fails is an answer too. */
export function useTestAlertSink() {
  return useMutation({ mutationFn: (sink: AlertSinkName) => call(testAlertSink, { body: { sink } }) })
}
