import type { Standing } from '@malleus/shared/domain/health.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import type { KnownMember } from '../clusters/member-directory.ts'
import type { OnlyAnswerer } from './passed-on.ts'
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
  /** Whom Incus would pass the question on to. Null when any member can answer it. */
  readonly answerer: OnlyAnswerer
  /** The question goes through the cluster database, and that is known not to answer anybody. */
  readonly databaseIsLost: boolean
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
      /** What it is called when none of them answers. */
      readonly nobody: 'member_unavailable' | 'no_responsive_member'
    }
  | {
      readonly kind: 'nobody'
      readonly code: 'member_unavailable' | 'no_responsive_member' | 'sign_in_not_checked'
      readonly why: string
    }

/**
 * Decides whom to ask. Healthy members come in an order drawn by lot, so that requests spread, and one that has just
 * come back takes only its share of first places; then those in doubt, then those cut off from the database, and the
 * ejected ones last, since no request fails without a real attempt. What presents a wrong certificate is never asked,
 * nor is a member that cannot check a person's token.
 *
 * A chosen member is asked alone. While it is ejected the answer is given at once: probes ask it twice a second, and a
 * person who waits would learn no more. In panic it is tried all the same. The same holds for the member that alone can
 * answer: it is asked itself where that is possible, and nobody else is made to wait for it.
 *
 * Nothing is hedged that another member could not answer sooner: what is passed on, and what waits for the database.
 */
export function planAttempts(input: PlanInput): Plan {
  const { panic, answerer, databaseIsLost } = input
  const chosen = narrowed(
    input.members.filter((member) => isTargeted(member, input.target)),
    input,
  )
  const alone = input.target.kind === 'member' || isNamed(answerer)
  const code = alone ? 'member_unavailable' : 'no_responsive_member'
  const silent = [only(answerer, input), only(targetOf(input.target), input)].find(
    (member) => member !== undefined && input.believed(member.name).standing === 'ejected',
  )
  if (silent !== undefined && !panic) return { kind: 'nobody', code, why: `${silent.name} does not answer` }
  const [first, ...others] = chosen
    .filter((member) => isAskable(member, input))
    .map((member) => ranks(member, input))
    .filter(({ standing }) => standing !== 'untrusted')
    .toSorted((a, b) => a.tier - b.tier || b.lot - a.lot)
  if (first === undefined) return whyNobody(input, chosen, code)
  return {
    kind: 'attempts',
    members: [first.member, ...others.map(({ member }) => member)],
    hedge: input.class === 'read' && !panic && answerer === null && !databaseIsLost && others.length > 0,
    doubtful: badness(first.standing) >= badness('suspect'),
    nobody: code,
  }
}

/** The member that alone can answer, if it may be asked; else whoever was chosen, who would pass the question on. */
function narrowed(chosen: readonly KnownMember[], input: PlanInput): readonly KnownMember[] {
  const { answerer } = input
  const direct = chosen.find((member) => isNamed(answerer) && member.name === answerer.name)
  return direct !== undefined && isAskable(direct, input) ? [direct] : chosen
}

function isNamed(answerer: OnlyAnswerer): answerer is { readonly name: string } {
  return answerer !== null && answerer !== 'unknown'
}

function only(answerer: OnlyAnswerer, { members }: PlanInput): KnownMember | undefined {
  return isNamed(answerer) ? members.find(({ name, contacted }) => contacted && name === answerer.name) : undefined
}

function targetOf(target: Target): OnlyAnswerer {
  return target.kind === 'member' ? target : null
}

function isAskable({ contacted, name }: KnownMember, { usable }: PlanInput): boolean {
  return contacted && usable(name)
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

type Nobody = Extract<Plan, { kind: 'nobody' }>

function whyNobody({ target, usable }: PlanInput, chosen: readonly KnownMember[], code: Nobody['code']): Nobody {
  const [first] = chosen
  if (first === undefined) return { kind: 'nobody', code, why: describeNothingChosen(target) }
  const contacted = chosen.filter((member) => member.contacted)
  const noneChecks = contacted.length > 0 && contacted.every(({ name }) => !usable(name))
  if (noneChecks && target.kind === 'any' && code === 'no_responsive_member') {
    const why = 'no server of the cluster can check who is signed in: OpenID Connect works on none of them'
    return { kind: 'nobody', code: 'sign_in_not_checked', why }
  }
  return {
    kind: 'nobody',
    code,
    why: code === 'member_unavailable' ? whyNot(first, usable) : 'no server may be sent the request',
  }
}

function whyNot({ name, contacted, why }: KnownMember, usable: PlanInput['usable']): string {
  if (!contacted) return why ?? `${name} is not contacted by this console`
  if (!usable(name)) return `${name} cannot check who is signed in: it has no working OpenID Connect`
  return `${name} presents a certificate that is not the cluster's, so nothing is sent to it`
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
