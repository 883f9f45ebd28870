// What the settings of Incus say of a path: pure.

import { isIP } from 'node:net'
import type { AccessPath, PathCheck } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence } from './access-path.ts'
import { are, good, info, warning } from './check-words.ts'

export function checkSettings(
  path: ConfiguredPath,
  evidence: PathEvidence,
  facts: ClusterFacts,
  tlsEnds: AccessPath['tlsEnds'],
): PathCheck[] {
  if (path.kind === 'floating-ip' || path.kind === 'ecmp') return checkListening(path, facts)
  return path.kind === 'load-balancer' ? checkTrustedProxy(path, evidence, facts, tlsEnds) : []
}

function checkListening({ target }: ConfiguredPath, { members }: ClusterFacts): PathCheck[] {
  if (target.kind !== 'endpoint') return []
  const { host, port } = target.endpoint
  const elsewhere = members
    .filter(({ listens }) => listens !== null && !listensAt(listens, host))
    .map(({ name }) => name)
  if (elsewhere.length > 0) {
    return [
      warning(
        'listening',
        `${are(elsewhere)} not listening at this address`,
        `Set core.https_address to :${port} on each: a server that holds the address and does not listen at it refuses clients.`,
      ),
    ]
  }
  const known = members.length > 0 && members.every(({ listens }) => listens !== null)
  return known ? [good('listening', 'Every server listens at this address')] : []
}

/** `:8443`, `[::]:8443` and `0.0.0.0:8443` are all addresses. */
function listensAt(listens: string, host: string): boolean {
  const at = listens.replace(/:\d+$/, '').replaceAll(/^\[|\]$/g, '')
  if (at === '' || at === '::') return true
  return at === host || (at === '0.0.0.0' && isIP(host) === 4)
}

function checkTrustedProxy(
  { target }: ConfiguredPath,
  { records }: PathEvidence,
  { trustedProxies }: ClusterFacts,
  tlsEnds: AccessPath['tlsEnds'],
): PathCheck[] {
  if (trustedProxies === null || target.kind !== 'endpoint') return []
  const wide = trustedProxies.filter((entry) => entry.includes('/'))
  const tooWide =
    wide.length === 0
      ? []
      : [
          warning(
            'trusted-proxy-wide',
            'Whole networks are trusted as proxies',
            `core.https_trusted_proxy holds ${wide.join(', ')}. Everybody there can claim any address: list the balancers alone.`,
          ),
        ]
  if (trustedProxies.length === 0) {
    const lost = tlsEnds === 'before' ? 'X-Forwarded-For is not read by Incus. ' : ''
    return [
      info(
        'client-address',
        'Incus sees the address of the balancer instead of the client’s',
        `${lost}Set core.https_trusted_proxy to the balancer, then have it send the PROXY protocol in version 1.`,
      ),
    ]
  }
  const own = [target.endpoint.host, ...(records ?? []).map(({ address }) => address)]
  const isListed = own.some((address) => trustedProxies.includes(address))
  return [
    ...tooWide,
    isListed
      ? good(
          'client-address',
          'Servers take the client’s address from this balancer',
          'Whether it sends it cannot be seen from outside.',
        )
      : info(
          'client-address',
          'This balancer is not among the trusted proxies by the address it is reached at',
          'It may connect from another one. If it sends the PROXY protocol from an address that is not listed, servers refuse its connections.',
        ),
  ]
}
