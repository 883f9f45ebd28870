import type { Route } from '../http/route.ts'
import { wordsWithoutAddresses } from '../lib/without-addresses.ts'
import type { Policy } from '../policy/policy.ts'

type Administration = Pick<Policy, 'rolesOf' | 'visibleClusters'>

/** The same routes, whose words name no address of a member to people who do not administer its cluster. */
export function discreet(rows: readonly Route[], policy: Administration): Route[] {
  return rows.map((row) => ({
    ...row,
    handler: async (context, input) => {
      const reply = await row.handler(context, input)
      const { cluster } = input.params as Readonly<Record<string, string | undefined>>
      return administers(policy, context.principal, cluster) ? reply : wordsWithoutAddresses(reply)
    },
  }))
}

/** Whether they administer that cluster, or all that they see where it is of no single one. */
export function administers(
  policy: Administration,
  person: Parameters<Policy['rolesOf']>[0],
  cluster: string | undefined,
): boolean {
  const clusters = cluster === undefined ? policy.visibleClusters(person) : [cluster]
  return clusters.every((name) => policy.rolesOf(person, name).includes('admin'))
}
