import type { Standing } from '@malleus/shared/domain/health.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import type { KnownMember } from '../clusters/member-directory.ts'
import type { RequestClass } from './request.ts'

/** What is believed of a member at the moment of planning. */
export interface Believed {
  readonly standing: Standing
  /** Its share of first attempts: 1 is a full turn, less while it proves itself, 0 behind the others. */
  readonly share: number
}

export interface PlanInput {
  readonly target: Target
  readonly class: RequestClass
  readonly members: readonly KnownMember[]
  readonly believed: (member: string) => Believed
  /** Whether the member can check the credentials that the request carries. */
  readonly usable: (member: string) => boolean
  /** Too few members answer to believe the checks. */
  readonly panic: boolean
  /** Chance, from 0 up to 1, drawn once per member. */
  readonly fraction: () => number
}

/** Which members to ask, best first, and whether a second one may be asked before the first has failed. */
export type Plan =
  | {
      readonly kind: 'attempts'
      readonly members: readonly [KnownMember, ...KnownMember[]]
      readonly hedge: boolean
      /** Nobody better is left than one that is in doubt: there is no reason to wait before asking another as well. */
      readonly doubtful: boolean
    }
  | { readonly kind: 'nobody'; readonly code: 'member_unavailable' | 'no_responsive_member'; readonly why: string }

/**
 * Decides whom to ask. Healthy members come in an order drawn by lot, so that requests spread, and one that has just
 * come back takes only its share of first places; then those in doubt, then those cut off from the database, and the
 * ejected ones last, since no request fails without a real attempt. What presents a wrong certificate is never asked,
 * nor is a member that cannot check a person's token.
 *
 * A chosen member is asked alone. While it is ejected the answer is given at once: probes ask it twice a second, and a
 * person who waits would learn no more. In panic it is tried all the same.
 */
export function planAttempts(input: PlanInput): Plan {
  const chosen = input.members.filter((member) => isTargeted(member, input.target))
  const askable = chosen.filter((member) => member.contacted && input.usable(member.name))
  const [first, ...others] = askable
    .map((member) => ranks(member, input))
    .filter(({ standing }) => standing !== 'untrusted')
    .toSorted((a, b) => a.tier - b.tier || b.lot - a.lot)
  if (first === undefined) return nobody(input.target, whyNobody(input, chosen))
  if (input.target.kind === 'member' && first.standing === 'ejected' && !input.panic) {
    return nobody(input.target, `${first.member.name} does not answer`)
  }
  return {
    kind: 'attempts',
    members: [first.member, ...others.map(({ member }) => member)],
    hedge: input.class === 'read' && !input.panic && others.length > 0,
    doubtful: badness(first.standing) >= badness('suspect'),
  }
}

interface Ranked {
  readonly member: KnownMember
  readonly standing: Standing
  readonly tier: number
  readonly lot: number
}

function ranks(member: KnownMember, input: PlanInput): Ranked {
  const { standing, share } = input.believed(member.name)
  const proving = standing === 'probation' && share > 0
  return {
    member,
    standing,
    tier: proving ? badness('healthy') : badness(standing),
    // A weighted draw: who has half a share comes first half as often (Efraimidis and Spirakis, 2006).
    lot: share > 0 && share !== 1 ? input.fraction() ** (1 / share) : input.fraction(),
  }
}

function isTargeted(member: KnownMember, target: Target): boolean {
  switch (target.kind) {
    case 'any':
      return true
    case 'member':
      return member.name === target.name
    case 'group':
      return member.groups.includes(target.name)
  }
}

function nobody(target: Target, why: string): Plan {
  return { kind: 'nobody', code: target.kind === 'member' ? 'member_unavailable' : 'no_responsive_member', why }
}

function whyNobody({ target, usable }: PlanInput, chosen: readonly KnownMember[]): string {
  const [only] = chosen
  if (only === undefined) return describeNothingChosen(target)
  if (target.kind !== 'member') return 'no server may be sent the request'
  if (!only.contacted) return only.why ?? `${only.name} is not contacted by this console`
  if (!usable(only.name)) return `${only.name} cannot check who is signed in: it has no working OpenID Connect`
  return `${only.name} presents a certificate that is not the cluster's, so nothing is sent to it`
}

function describeNothingChosen(target: Target): string {
  switch (target.kind) {
    case 'any':
      return 'the cluster has no server that is known'
    case 'member':
      return `the cluster has no server called ${target.name}`
    case 'group':
      return `no server of the cluster is in the group ${target.name}`
  }
}
