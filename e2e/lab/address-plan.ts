// Which addresses and interface names a lab uses. Everything follows from one small number, the slot,
// so that labs beside each other never share a name or a subnet.

/** The most members a lab can have. Two cores carry about 25 real members; more run out of processor first. */
export const maximumMembers = 25

/** The addresses and kernel names of one lab. */
export interface AddressPlan {
  readonly slot: number
  /** The bridge in the host's namespace. Its existence claims the slot for the whole machine. */
  readonly bridge: string
  /** Every address of the lab, as a CIDR prefix. */
  readonly subnet: string
  /** The host itself, on the bridge: the members' gateway, and where they reach an identity provider. */
  readonly host: string
  readonly members: readonly MemberPlan[]
}

/** One namespace on the bridge. */
export interface MemberPlan {
  readonly name: string
  readonly address: string
  /** The end of the veth pair that stays with the host; the other end is `eth0` in the namespace. */
  readonly hostLink: string
}

/** Slots 0 to 255: the third number of 10.77.x.0/24. */
export const slots = 256

/** The plan of a lab with `members` members (1 to 25) in `slot`. Members are `server1` … at .11 onward; .2 to .9 are free for fronts and clients. */
export function planAddresses(slot: number, members: number): AddressPlan {
  if (!Number.isInteger(slot) || slot < 0 || slot >= slots)
    throw new RangeError(`slot ${slot} is not between 0 and ${slots - 1}`)
  if (!Number.isInteger(members) || members < 1 || members > maximumMembers) {
    throw new RangeError(`a lab has between 1 and ${maximumMembers} members, not ${members}`)
  }
  const bridge = `mlab${slot}`
  const at = (last: number): string => `10.77.${slot}.${last}`
  return {
    slot,
    bridge,
    subnet: at(0) + '/24',
    host: at(1),
    members: Array.from({ length: members }, (_, index) => ({
      name: `server${index + 1}`,
      address: at(11 + index),
      hostLink: `${bridge}v${index + 1}`,
    })),
  }
}

/** A machine beside the members: a front, a router, a client. `number`, 2 to 9, is the last of its address. */
export function planNeighbour(slot: number, name: string, number: number): MemberPlan {
  if (!Number.isInteger(number) || number < 2 || number > 9) {
    throw new RangeError(`${number} is not between 2 and 9, which are for what is no member`)
  }
  return { name, address: `10.77.${slot}.${number}`, hostLink: `mlab${slot}n${number}` }
}

/** Is this interface part of the lab in `slot`? */
export function isLinkOf(slot: number, link: string): boolean {
  return new RegExp(`^mlab${slot}([vn]\\d+)?$`).test(link)
}

/** The lowest slot whose bridge is not there and whose subnet the host does not route elsewhere. */
export function firstFreeSlot(links: readonly string[], routes: readonly string[]): number | undefined {
  for (let slot = 0; slot < slots; slot++) {
    const taken =
      links.some((link) => isLinkOf(slot, link)) || routes.some((route) => route.startsWith(`10.77.${slot}.`))
    if (!taken) return slot
  }
  return undefined
}
