/**
 * Which members a cluster has, and which of them the console may contact: pure.
 *
 * Incus names its members and their addresses, so whoever can change that list could make the console connect anywhere.
 * Therefore a member is contacted only at an address that the configuration names or allows; the others are shown. Whoever
 * gives a name decides what it resolves to, and may decide otherwise a moment later: such a member is contacted at the
 * addresses that were looked at.
 */
import { BlockList, isIP } from 'node:net'
import type { IncusMember } from '@malleus/shared/incus/member.ts'
import type { Endpoint } from '../clusters/endpoint.ts'
import { formatEndpoint, parseEndpoint } from '../clusters/endpoint.ts'
import type { KnownMember } from '../clusters/member-directory.ts'

export interface PlanMembersInput {
  readonly rows: readonly IncusMember[]
  readonly before: readonly KnownMember[]
  readonly seeds: readonly Endpoint[]
  /** As CIDR; null for exactly the seeds. */
  readonly memberNetworks: readonly string[] | null
  readonly memberPorts: readonly number[]
  /** What names resolve to; names that do not resolve are missing. */
  readonly addresses: ReadonlyMap<string, readonly string[]>
  /** Names that seeds gave themselves when they were asked, by `host:port`. */
  readonly seedNames: ReadonlyMap<string, string>
}

export interface MembersPlan {
  readonly members: readonly KnownMember[]
  /** Members that answer where another name answered before. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[]
  /** Seeds that belong to no member in the list, as far as is known. They stay in the directory until they do. */
  readonly unmatchedSeeds: readonly Endpoint[]
}

export function planMembers(input: PlanMembersInput): MembersPlan {
  const listed = input.rows.map((row) => memberOf(row, input))
  const taken = new Set(listed.map(({ endpoint }) => formatEndpoint(endpoint)))
  const unmatchedSeeds = input.seeds.filter((seed) => !belongs(seed, listed, taken, input))
  const waiting = unmatchedSeeds
    .map((endpoint) => input.before.find(({ name }) => name === formatEndpoint(endpoint)))
    .filter((member) => member !== undefined)
  const members = [...listed, ...waiting.filter(({ name }) => !listed.some((member) => member.name === name))]
  return { members, renamed: renamedIn(input.before, members), unmatchedSeeds }
}

function memberOf(row: IncusMember, input: PlanMembersInput): KnownMember {
  const common = { name: row.server_name, groups: row.groups }
  const seed = input.seeds.find((each) => input.seedNames.get(formatEndpoint(each)) === row.server_name)
  const endpoint = endpointOf(row.url)
  if (endpoint === null) {
    const why = `The cluster gives no address for it that can be read ("${row.url}").`
    return {
      ...common,
      endpoint: seed ?? { host: 'invalid', port: 0 },
      contacted: seed !== undefined,
      why: seed ? null : why,
    }
  }
  const whyNot = whyNotContacted(endpoint, input)
  if (whyNot === null) return { ...common, endpoint, ...judgedAddresses(endpoint, input), contacted: true, why: null }
  // A seed that says it is this member is an address we were given for it, whatever the cluster calls it.
  if (seed !== undefined) return { ...common, endpoint: seed, contacted: true, why: null }
  return { ...common, endpoint, contacted: false, why: whyNot }
}

function endpointOf(url: string): Endpoint | null {
  try {
    return parseEndpoint(url)
  } catch {
    return null
  }
}

/** Null when it may be contacted. */
function whyNotContacted(endpoint: Endpoint, input: PlanMembersInput): string | null {
  if (input.seeds.some((seed) => sameEndpoint(seed, endpoint, input.addresses))) return null
  const place = formatEndpoint(endpoint)
  if (input.memberNetworks === null) {
    return `Its address ${place} is not among those listed for this cluster: list it under "members", or its network under "memberNetworks".`
  }
  const addresses = addressesOf(endpoint.host, input.addresses)
  const networks = blockListOf(input.memberNetworks)
  const inside = addresses.every((address) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
  if (addresses.length === 0) return `The name of its address ${place} does not resolve.`
  if (!inside) return `Its address ${place} is outside of the networks this console may contact ("memberNetworks").`
  if (!input.memberPorts.includes(endpoint.port)) {
    return `Its port ${endpoint.port} is not among those this console may contact ("memberPorts").`
  }
  return null
}

function judgedAddresses(endpoint: Endpoint, { seeds, addresses }: PlanMembersInput): Pick<KnownMember, 'addresses'> {
  if (isIP(endpoint.host) !== 0 || seeds.some(({ host }) => host === endpoint.host)) return {}
  return { addresses: addressesOf(endpoint.host, addresses).toSorted() }
}

function sameEndpoint(seed: Endpoint, endpoint: Endpoint, known: PlanMembersInput['addresses']): boolean {
  if (seed.port !== endpoint.port) return false
  if (seed.host === endpoint.host) return true
  const ours = addressesOf(seed.host, known)
  const theirs = addressesOf(endpoint.host, known)
  return theirs.length > 0 && theirs.every((address) => ours.includes(address))
}

function addressesOf(host: string, known: PlanMembersInput['addresses']): readonly string[] {
  return isIP(host) === 0 ? (known.get(host) ?? []) : [host]
}

function belongs(
  seed: Endpoint,
  listed: readonly KnownMember[],
  taken: ReadonlySet<string>,
  input: PlanMembersInput,
): boolean {
  if (taken.has(formatEndpoint(seed))) return true
  const name = input.seedNames.get(formatEndpoint(seed))
  if (name !== undefined && listed.some((member) => member.name === name)) return true
  return listed.some(({ endpoint }) => sameEndpoint(seed, endpoint, input.addresses))
}

function renamedIn(before: readonly KnownMember[], after: readonly KnownMember[]): MembersPlan['renamed'] {
  const names = new Set(after.map(({ name }) => name))
  return before.flatMap((old) => {
    if (names.has(old.name)) return []
    const now = after.find(({ endpoint }) => formatEndpoint(endpoint) === formatEndpoint(old.endpoint))
    return now === undefined ? [] : [{ from: old.name, to: now.name }]
  })
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return list
}
