// What is well and what is not about the records of a name: pure.

import { isIP, isIPv6 } from 'node:net'
import type { PathCheck } from '@malleus/shared/api/access-paths.ts'
import type { ClusterFacts, ConfiguredPath, PathEvidence } from './access-path.ts'
import { memberAt } from './access-path.ts'
import { are, bad, good, listed, warning } from './check-words.ts'

/** Longer, and clients go on for minutes with what was changed. */
const longTtlSeconds = 300

export function checkRecords(path: ConfiguredPath, evidence: PathEvidence, facts: ClusterFacts): PathCheck[] {
  if (path.kind !== 'dns') return []
  const { records, resolveFailure, forbidden } = evidence
  if (records === null || records.length === 0) {
    if (resolveFailure === null) return []
    return [
      bad('records', `${path.name} does not resolve`, `${resolveFailure} Enter an A or AAAA record for each server.`),
    ]
  }
  const addresses = records.map(({ address }) => address)
  return [
    ...missingServers(addresses, facts),
    ...strangers(addresses, facts, forbidden),
    ...halfIpv6(addresses, facts),
    ...longTtl(records),
  ]
}

function missingServers(addresses: readonly string[], facts: ClusterFacts): PathCheck[] {
  const missing = facts.members.filter((member) => !member.addresses.some((address) => addresses.includes(address)))
  if (missing.length === 0) {
    return [
      good(
        'servers-in-record',
        'Every server is in the record',
        `${addresses.length} addresses, ${facts.members.length} servers.`,
      ),
    ]
  }
  return missing.map(({ name, address }) =>
    warning(
      `missing-${name}`,
      `${name} is not in the record`,
      address === null || isIP(address) === 0
        ? 'Add its address, or clients never reach it by this name.'
        : `Add ${isIPv6(address) ? 'AAAA' : 'A'} ${address}, or clients never reach it by this name.`,
    ),
  )
}

function strangers(addresses: readonly string[], facts: ClusterFacts, forbidden: readonly string[]): PathCheck[] {
  // Before the addresses of all servers are known, every record would look like one too many.
  if (facts.members.some((member) => member.addresses.length === 0)) return []
  return addresses
    .filter((address) => memberAt(address, facts) === null)
    .map((address) =>
      bad(
        `stranger-${address}`,
        `${address} belongs to no server of the cluster`,
        `Remove the ${isIPv6(address) ? 'AAAA' : 'A'} record: clients that begin with it wait, or meet somebody else.${
          forbidden.includes(address) ? ' This console does not contact it ("probeNetworks").' : ''
        }`,
      ),
    )
}

function halfIpv6(addresses: readonly string[], facts: ClusterFacts): PathCheck[] {
  const versions = [4, 6] as const
  const present = facts.members.filter((member) => member.addresses.some((address) => addresses.includes(address)))
  const having = (version: 4 | 6) =>
    present.filter((member) => member.addresses.some((a) => isIP(a) === version && addresses.includes(a)))
  const [four, six] = versions.map(having)
  if (four === undefined || six === undefined || six.length === 0 || four.length === 0) return []
  const lacking = present.filter((member) => !six.includes(member) || !four.includes(member)).map(({ name }) => name)
  if (lacking.length === 0) return [good('families', 'IPv4 and IPv6 lead to every server')]
  return [
    warning(
      'families',
      'IPv6 is only half there',
      `${are(lacking)} in the record with one family only: clients of the other reach ${listed(
        present.map(({ name }) => name).filter((name) => !lacking.includes(name)),
      )} alone. Add the other record, or take the family out.`,
    ),
  ]
}

function longTtl(records: NonNullable<PathEvidence['records']>): PathCheck[] {
  const ttls = records.flatMap(({ ttlSeconds }) => (ttlSeconds === null ? [] : [ttlSeconds]))
  if (ttls.length === 0) return []
  const longest = Math.max(...ttls)
  return longest > longTtlSeconds
    ? [
        warning(
          'ttl',
          `The record is kept for ${longest} s`,
          `A server that is taken out of DNS gets clients for that long. Set a TTL of 60 s.`,
        ),
      ]
    : [good('ttl', `A change of the record reaches clients ${longest === 0 ? 'at once' : `within ${longest} s`}`)]
}
