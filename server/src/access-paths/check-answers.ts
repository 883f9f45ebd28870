// Who answers on a path and who does not, and what that says of it: pure.

import type { PathCheck } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence, PathMember, Visit } from './access-path.ts'
import { latestRounds, memberAt } from './access-path.ts'
import { are, bad, duration, good, listed, warning } from './check-words.ts'

const outside: readonly PathMember['standing'][] = ['ejected', 'untrusted']

/** An address that came back to a server this often within the time that is looked at is held by two. */
const flapping = 3

export function checkAnswers(path: ConfiguredPath, evidence: PathEvidence, facts: ClusterFacts): PathCheck[] {
  const latest = latestRounds(evidence, 1)
  if (latest.length === 0) return []
  const failed = latest.filter(isFailed)
  if (failed.length === latest.length) return [nothing(path, failed, facts)]
  const checks = [...held(path, evidence, facts), ...ofKind(path, evidence, facts)]
  return checks.some(({ level }) => level === 'bad' || level === 'warning')
    ? checks
    : [good('answers', 'New clients get an answer at once'), ...checks]
}

function ofKind(path: ConfiguredPath, evidence: PathEvidence, facts: ClusterFacts): PathCheck[] {
  if (path.kind === 'floating-ip') return checkFloating(evidence)
  if (path.kind === 'ecmp') return checkSpread(evidence, facts)
  return []
}

function nothing(path: ConfiguredPath, failed: readonly Visit[], facts: ClusterFacts): PathCheck {
  const [first] = failed
  const message = first?.end.kind === 'failed' ? first.end.message : ''
  if (path.kind === 'console') {
    return warning(
      'answers',
      'This console does not reach its own public address',
      `${message} People may still reach it: this is seen from where the console stands.`,
    )
  }
  const well = facts.members.filter(({ standing }) => standing === 'healthy').length
  const closed = failed.every(({ end }) => end.kind === 'failed' && end.how === 'closed' && end.phase === 'tls')
  if (path.kind === 'load-balancer' && closed && well > 0) return headerRefused(facts)
  const others =
    well === 0
      ? 'No server answers directly either.'
      : `${well} of ${facts.members.length} servers answer directly: it is the way, and not the cluster.`
  return bad('answers', 'New clients get no answer', `${message} ${path.kind === 'local' ? '' : others}`.trim())
}

/** Connections that are ended in the handshake while servers are well: they do not understand what precedes it, or miss it. */
function headerRefused({ trustedProxies }: ClusterFacts): PathCheck {
  const unset = trustedProxies !== null && trustedProxies.length === 0
  return bad(
    'proxy-header',
    'Connections end in the TLS handshake',
    unset
      ? 'The balancer seems to send the PROXY protocol, which the servers take from nobody: set core.https_trusted_proxy to its address, or switch the header off there.'
      : 'Servers that trust a balancer may insist on the PROXY protocol from it (Incus 7.0.1), and others refuse it: send it in version 1, from an address in core.https_trusted_proxy.',
  )
}

/** Some clients come through and others wait. */
function held(path: ConfiguredPath, evidence: PathEvidence, facts: ClusterFacts): PathCheck[] {
  const latest = latestRounds(evidence, 2)
  if (path.kind === 'dns') return heldByDns(latestRounds(evidence, 1), facts)
  const failed = latest.filter(isFailed)
  if (failed.length === 0) return []
  const out = facts.members.filter(({ standing }) => outside.includes(standing))
  const silent = failed.filter(({ end }) => end.kind === 'failed' && end.how === 'silent')
  const share = `${failed.length} of the last ${latest.length} new clients`
  if (path.kind === 'load-balancer' && out.length > 0) {
    const names = listed(out.map(({ name }) => name))
    const waits = silent.length > 0 ? 'Clients wait there without an answer' : 'Clients are turned away there'
    return [
      bad(
        'balancer-check',
        `${names} still ${out.length === 1 ? 'gets' : 'get'} connections`,
        `${share} met it. ${waits} until the balancer notices; a check that only connects never does. Let its health check ask GET /1.0 over TLS and want status 200.`,
      ),
    ]
  }
  if (path.kind === 'ecmp' && out.length > 0) {
    const names = out.map(({ name }) => name)
    return [
      bad(
        'withdrawal',
        `${are(names)} still announced`,
        `${share} met it. The route follows the routing daemon and not Incus: withdraw the address where the API does not answer, and use BFD for servers that are cut off.`,
      ),
    ]
  }
  return [
    bad(
      'answers',
      `${share} got no answer`,
      failed[0]?.end.kind === 'failed' ? failed[0].end.message : 'They were turned away or kept waiting.',
    ),
  ]
}

function heldByDns(latest: readonly Visit[], facts: ClusterFacts): PathCheck[] {
  return latest.filter(isFailed).flatMap(({ address, end }) => {
    if (end.kind !== 'failed') return []
    const member = memberAt(address, facts)?.name ?? address
    if (end.how === 'wrong-certificate') return []
    if (end.how === 'refused' || end.how === 'closed') {
      return [
        warning(
          `held-${address}`,
          `${member} turns clients away`,
          'Most clients go on to the next address at once. Some try only one: take the record out while it lasts.',
        ),
      ]
    }
    return [
      bad(
        `held-${address}`,
        `${member} holds clients up`,
        `${end.how === 'starting' ? 'It is starting' : end.phase === 'connect' ? 'It cannot be reached' : 'It accepts connections and never answers'}; DNS keeps handing it out, and a client that begins with it waits for a whole time-out. Take its record out, or put a balancer in front.`,
      ),
    ]
  })
}

function checkFloating({ visits, moves }: PathEvidence): PathCheck[] {
  const last = moves.at(-1)
  const servers = new Set(visits.flatMap(serverIn))
  const returns = moves.filter(({ to }, at) => moves.slice(0, at).some(({ from }) => from === to)).length
  if (returns >= flapping) {
    return [
      bad(
        'two-holders',
        `${listed([...servers].toSorted())} answer at the address in turns`,
        'More than one server holds it. Of several addresses on one line of unicast_peer keepalived takes the first only: write one on each line, and let VRRP through the firewall.',
      ),
    ]
  }
  const holder = visits.findLast((visit) => serverIn(visit).length > 0)
  const name = holder === undefined ? undefined : serverIn(holder)[0]
  const moved = last === undefined ? null : `It came from ${last.from}; for ${duration(last.tookMs)} nobody answered.`
  return name === undefined ? [] : [good('holder', `${name} holds the address`, moved)]
}

function checkSpread({ visits }: PathEvidence, { members }: ClusterFacts): PathCheck[] {
  const well = members.filter(({ standing }) => standing === 'healthy').map(({ name }) => name)
  const needed = connectionsToBeSure(well.length)
  const recent = visits.filter((visit) => serverIn(visit).length > 0).slice(-needed)
  if (well.length < 2 || recent.length < needed) return []
  const seen = new Set(recent.flatMap(serverIn))
  const missing = well.filter((name) => !seen.has(name))
  if (missing.length === 0) return [good('spread', 'Connections are spread over every server')]
  const [only] = seen
  if (seen.size === 1 && well.length > 2 && only !== undefined) {
    return [
      warning(
        'spread',
        `All connections reach ${only}`,
        'The router does not spread by port, or knows one route only: allow several equal paths (maximum-paths) and hash by address and port (fib_multipath_hash_policy=1 on Linux).',
      ),
    ]
  }
  return [
    warning(
      'spread',
      `${listed(missing)} ${missing.length === 1 ? 'gets' : 'get'} no connections`,
      `None of the last ${recent.length} reached ${missing.length === 1 ? 'it' : 'them'}, from as many ports: the address is probably not announced there.`,
    ),
  ]
}

/** So many connections miss one of `servers` by chance less than once in a thousand times. */
export function connectionsToBeSure(servers: number): number {
  return servers < 2 ? 1 : Math.ceil(Math.log(0.001) / Math.log(1 - 1 / servers))
}

/** As it named itself. */
export function serverIn({ end }: Visit): readonly string[] {
  return end.kind === 'answered' && end.server !== null ? [end.server] : []
}

function isFailed({ end }: Visit): boolean {
  return end.kind === 'failed'
}
