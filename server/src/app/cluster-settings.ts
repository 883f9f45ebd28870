import type { Clock } from '../lib/clock.ts'
import { tagOf } from '../lib/keys.ts'
import type { Mask } from '../secrets/mask.ts'
import { ServerConfig } from '../server-config/server-config.ts'
import { whyNotNow } from '../server-config/why-not-now.ts'
import type { ClusterParts } from './cluster-parts.ts'

/** The one mask of this console: the same secret looks the same wherever it would stand. */
export function maskOf(hmacKey: Buffer): Mask {
  return (secret) => tagOf(hmacKey, 'redacted', secret).toString('base64url')
}

/** The settings of the servers of a cluster, to be read and changed. */
export function createServerConfig(
  { cluster, reported }: Pick<ClusterParts, 'cluster' | 'reported'>,
  mask: Mask,
  clock: Clock,
): ServerConfig {
  const { gateway, board } = cluster
  const servers = () =>
    [...board.snapshot()].map(([name, { standing }]) => {
      return { name, standing, reported: reported.latest?.rows.get(name)?.status ?? null }
    })
  return new ServerConfig({ gateway, whyNotNow: () => whyNotNow(servers()), mask, clock })
}
