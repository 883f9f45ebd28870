import { startLoopbackFront } from '@malleus/server/testing/loopback-front.ts'
import type { StandInWorld } from '../support/stand-in-world.ts'

/**
 * Ways into the stand-in cluster, to see what a broken member does to each: a balancer that looks at nothing, an address
 * that one member holds, and that member itself. Gives lines of configuration; what was started goes into `endings`.
 */
export async function startDemoPaths(
  { cluster }: StandInWorld,
  endings: (() => Promise<unknown>)[],
): Promise<readonly string[]> {
  const [first, ...others] = cluster.members.map((name) => cluster.port(name))
  if (first === undefined) return []
  const balancer = await startLoopbackFront([first, ...others])
  const floating = await startLoopbackFront([first])
  endings.push(
    () => balancer.close(),
    () => floating.close(),
  )
  return [
    'accessPaths:',
    `  - { kind: load-balancer, name: balancer, address: '${balancer.address}' }`,
    `  - { kind: floating-ip, name: floating address, address: '${floating.address}' }`,
    `  - { kind: member, name: ${cluster.members[0]}, address: '127.0.0.1:${first}' }`,
  ]
}
