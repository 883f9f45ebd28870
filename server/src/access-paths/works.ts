// What clients can do through a path: pure. Nothing is said to work that was not seen to or does not follow from it.

import type { AccessPath, PathUse, PathWork } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence } from './access-path.ts'
import { latestRounds } from './access-path.ts'

interface Seen {
  readonly path: ConfiguredPath
  readonly evidence: PathEvidence
  readonly facts: ClusterFacts
  readonly tlsEnds: AccessPath['tlsEnds']
}

export function worksOn(seen: Seen): PathWork[] {
  const { kind } = seen.path
  if (kind === 'console') return []
  if (kind === 'local') {
    return [
      work('command-line', 'yes', 'On that server itself, by whoever may open the socket.'),
      work('client-certificates', 'no', 'The socket asks for none: who may open it may do everything.'),
    ]
  }
  return [certificates(seen), oidc(seen), ownInterface(seen), commandLine(seen), ...transfers(seen), acme(seen)]
}

function certificates({ tlsEnds, facts }: Seen): PathWork {
  if (tlsEnds === 'before')
    return work('client-certificates', 'no', 'TLS ends before the servers, which never see the certificate.')
  if (tlsEnds === 'unknown') return work('client-certificates', 'unknown', 'No handshake was complete yet.')
  return facts.hasIdentity
    ? work('client-certificates', 'yes', 'This console’s own certificate is recognised through it.')
    : work('client-certificates', 'yes', 'The certificate of the cluster is presented, so TLS ends at a server.')
}

function oidc({ facts, tlsEnds }: Seen): PathWork {
  if (facts.oidc === null) return work('oidc', 'unknown', 'It is not known whether the cluster takes tokens.')
  if (!facts.oidc) return work('oidc', 'no', 'The cluster has no OpenID Connect (oidc.issuer).')
  return tlsEnds === 'unknown'
    ? work('oidc', 'unknown', 'No handshake was complete yet.')
    : work('oidc', 'yes', 'Tokens travel in a header, through whatever passes requests on.')
}

/** Its sign-in keeps what it began in one server's memory (incus `internal/server/auth/oidc/oidc.go`). */
function ownInterface({ path, facts }: Seen): PathWork {
  if (facts.oidc === false) return work('own-interface', 'no', 'The cluster has no OpenID Connect (oidc.issuer).')
  const spreads = path.kind === 'dns' || path.kind === 'ecmp' || path.kind === 'load-balancer'
  if (!spreads) return work('own-interface', 'yes', 'All requests reach one server.')
  return path.kind === 'load-balancer'
    ? work(
        'own-interface',
        'unknown',
        'Only where the balancer keeps each client at one server: a sign-in that comes back to another one fails.',
      )
    : work(
        'own-interface',
        'no',
        'Requests are spread: a sign-in that comes back to another server fails. Sign in at one server, or use this console.',
      )
}

function commandLine({ evidence, tlsEnds, path }: Seen): PathWork {
  const certificate = latestRounds(evidence, 3).findLast((visit) => visit.certificate !== null)?.certificate ?? null
  const spreads = path.kind === 'dns' ? ' It does not leave a stuck server by itself.' : ''
  if (certificate === null) return work('command-line', 'unknown', 'No certificate was seen yet.')
  if (tlsEnds === 'before')
    return work('command-line', 'yes', `With OpenID Connect only (incus remote add … --auth-type oidc).`)
  if (!certificate.isCluster)
    return work('command-line', 'no', 'What answers presents another certificate than the one people confirmed.')
  return certificate.covers
    ? work('command-line', 'yes', `The certificate covers the name.${spreads}`)
    : work('command-line', 'yes', `By its fingerprint: the certificate does not cover the name.${spreads}`)
}

function transfers({ tlsEnds }: Seen): PathWork[] {
  if (tlsEnds === 'member') {
    return [
      work(
        'websockets',
        'yes',
        'Consoles, shells and events pass as they are, as long as the way keeps silent connections.',
      ),
      work('large-uploads', 'yes', 'Nothing on the way looks inside.'),
    ]
  }
  const why =
    tlsEnds === 'before'
      ? 'What ends TLS has limits of its own for it, which were not measured.'
      : 'No handshake was complete yet.'
  return [work('websockets', 'unknown', why), work('large-uploads', 'unknown', why)]
}

function acme({ facts, path }: Seen): PathWork {
  if (facts.acmeDomain === null)
    return work('acme-http', 'unknown', 'Whether the cluster uses ACME may not be seen here.')
  if (facts.acmeDomain === '') return work('acme-http', 'no', 'The cluster has no domain for it (acme.domain).')
  const where = path.kind === 'dns' ? 'the server that asks' : 'the servers'
  return work('acme-http', 'unknown', `Port 80 of this name has to lead to ${where}; that is not probed.`)
}

function work(use: PathUse, works: PathWork['works'], text: string): PathWork {
  return { use, works, text }
}
