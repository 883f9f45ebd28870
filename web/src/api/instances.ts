import { instanceKey, listInstances, type Instance } from '@malleus/shared/api/instances.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

type Reply = ReplyOf<typeof listInstances>
export type InstanceList = Pick<Reply, 'revision' | 'instances' | 'freshness' | 'members'>

/**
 * Every instance of a cluster. The list may be long, so that after the first time only what has changed is asked for.
 * Always asked through any server that answers: it is told from what is known, whichever target the person chose.
 */
export function instanceListQuery(cluster: string) {
  const queryKey = ['cluster', cluster, 'instances'] as const
  return queryOptions({
    queryKey,
    enabled: () => maySee(cluster, 'instance.list'),
    queryFn: async ({ signal, client }): Promise<InstanceList> => {
      const before = client.getQueryData<InstanceList>(queryKey)
      const query = before === undefined ? {} : { since: before.revision }
      return withChanges(before, await call(listInstances, { params: { cluster }, query }, { signal }))
    },
    // Rows that did not change are the same objects already; comparing ten thousand of them again would be felt.
    structuralSharing: false,
    refetchInterval: 15_000,
  })
}

/** The list with what has changed in it. Rows that did not change keep their identity, and their place. */
export function withChanges(before: InstanceList | undefined, reply: Reply): InstanceList {
  const { revision, freshness, members } = reply
  return { revision, freshness, members, instances: rowsOf(before, reply) }
}

function rowsOf(before: InstanceList | undefined, { whole, instances, gone }: Reply): Instance[] {
  if (whole || before === undefined) return instances
  if (instances.length === 0 && gone.length === 0) return before.instances
  const changed = new Map(instances.map((row) => [instanceKey(row), row]))
  const missing = new Set(gone)
  const kept = before.instances.flatMap((row) => {
    const key = instanceKey(row)
    const next = changed.get(key)
    changed.delete(key)
    return missing.has(key) && next === undefined ? [] : [next ?? row]
  })
  return [...kept, ...changed.values()]
}
