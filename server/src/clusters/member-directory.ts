import { Subscribable } from '../lib/subscribable.ts'
import type { Endpoint } from './endpoint.ts'
import { formatEndpoint } from './endpoint.ts'

/** A member as this console knows it. */
export interface KnownMember {
  /** As Incus calls it; before discovery, a seed's `host:port`. */
  readonly name: string
  readonly endpoint: Endpoint
  /**
   * What the name in its endpoint resolved to when it was allowed: it is contacted there, whatever the name resolves to
   * later. Absent where the endpoint is an address, or was given by the configuration.
   */
  readonly addresses?: readonly string[]
  /** The cluster groups it belongs to; empty until discovery. */
  readonly groups: readonly string[]
  /** False when its address is outside of the networks the console may contact: it is shown, and sent nothing. */
  readonly contacted: boolean
  /** Why it is not contacted, in words for people; null when it is. */
  readonly why: string | null
}

/**
 * Which members a cluster has and where they answer. It begins with the seeds of the configuration under their
 * `host:port`; discovery replaces the whole list with what Incus says, whenever that changes.
 */
export class MemberDirectory {
  readonly #changes = new Subscribable<readonly KnownMember[]>()
  #members: ReadonlyMap<string, KnownMember>
  #list: readonly KnownMember[]

  constructor(seeds: readonly Endpoint[]) {
    this.#list = seeds.map(seedMember)
    this.#members = byName(this.#list)
  }

  /** All members, in the order of the last `replace`. The same array until the next one. */
  list(): readonly KnownMember[] {
    return this.#list
  }

  get(name: string): KnownMember | undefined {
    return this.#members.get(name)
  }

  /** Takes the list as the truth and tells listeners, unless nothing is different. Names must be unique. */
  replace(members: readonly KnownMember[]): void {
    if (sameMembers(this.#list, members)) return
    this.#list = [...members]
    this.#members = byName(members)
    this.#changes.publish(this.#list)
  }

  /** Calls back with the new list after each change; returns what ends it. */
  subscribe(listener: (members: readonly KnownMember[]) => void): () => void {
    return this.#changes.subscribe(listener)
  }
}

function seedMember(endpoint: Endpoint): KnownMember {
  return { name: formatEndpoint(endpoint), endpoint, groups: [], contacted: true, why: null }
}

function byName(members: readonly KnownMember[]): ReadonlyMap<string, KnownMember> {
  const map = new Map(members.map((member) => [member.name, member]))
  if (map.size !== members.length) throw new RangeError('two members of a cluster have the same name')
  return map
}

function sameMembers(before: readonly KnownMember[], after: readonly KnownMember[]): boolean {
  return before.length === after.length && before.every((member, at) => sameMember(member, after[at]))
}

function sameMember(a: KnownMember, b: KnownMember | undefined): boolean {
  return (
    b !== undefined &&
    a.name === b.name &&
    a.endpoint.host === b.endpoint.host &&
    a.endpoint.port === b.endpoint.port &&
    a.contacted === b.contacted &&
    a.why === b.why &&
    a.addresses?.join() === b.addresses?.join() &&
    a.groups.length === b.groups.length &&
    a.groups.every((group, at) => group === b.groups[at])
  )
}
