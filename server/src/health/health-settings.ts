/**
 * The numbers by which members are judged, as data: the configuration derives its schema under `health:` and its
 * reference from them. Together the defaults find a fault that signals itself within one round trip, and a silent one
 * in 0.95 s (suspect) and 1.45 s (ejected); no request waits for either.
 */

/** One number: its default, its range, what it counts, and what it is for. */
export interface NumberSetting {
  readonly byDefault: number
  readonly least: number
  readonly most: number
  readonly unit: 'milliseconds' | 'share' | 'times' | 'count'
  /** For the configuration reference: what it does, and why the default is what it is. */
  readonly purpose: string
}

export const healthNumbers = {
  lightEveryMs: ms(500, 100, 10_000, [
    'between two light probes of a member in a small cluster.',
    'Half a second finds a silent fault in under a second and costs a member two answers from memory per second.',
  ]),
  lightPerMemberMs: ms(4, 0, 100, [
    'between two light probes per member of the cluster:',
    '500 members are asked every 2 s, so that the console stays under 250 questions per second.',
  ]),
  lightAtMostEveryMs: ms(5_000, 500, 60_000, ['between two light probes of a member, however many members there are.']),
  jitter: share(0.1, 0.5, ['by which each interval varies, so that replicas and members do not fall into step.']),
  lightTimeoutMs: ms(400, 50, 5_000, [
    'after which a light probe is unanswered.',
    'A healthy member answers `GET /1.0` from memory in a few; a far site may need more.',
  ]),
  coldEvery: count(10, 2, 1_000, [
    'light probes, the last of which is made on a new connection and sees the certificate, its expiry and a whole handshake.',
  ]),
  reprobeAfterMs: ms(100, 10, 5_000, ['after any failure until the question is put again, on a new connection.']),
  phaseTimeoutMs: ms(400, 50, 5_000, [
    'after which a phase (connect, TLS, answer) of such a question is silent.',
    'Which phase is silent tells a server that is stuck from one that is cut off.',
  ]),
  lingerMs: ms(2_000, 400, 30_000, [
    'for which a silent question is still listened to: what answers then is slow, and not stuck.',
  ]),
  deepEveryMs: ms(5_000, 1_000, 60_000, [
    'between two deep probes of a member; each goes through the cluster database.',
  ]),
  deepTimeoutMs: ms(2_000, 200, 30_000, ['after which a deep probe has failed.']),
  deepAgainMs: ms(500, 100, 60_000, [
    'after a deep probe that failed, or could not be made, until the next one.',
    'A lost leader is replaced in a few seconds, and whoever waits for the database should know at once that it is back.',
  ]),
  deepFailuresToDegrade: count(2, 1, 10, [
    'deep probes failed in a row that make a member degraded. Two, because one may meet a change of the leader.',
  ]),
  failuresToEject: count(2, 1, 10, [
    'probes failed in a row that eject a member. Two: one may be a lost packet, and each costs time to find a fault.',
  ]),
  ejectionMs: ms(5_000, 100, 600_000, [
    'for which a member is passed over after its first ejection; each further one lasts twice as long.',
  ]),
  ejectionAtMostMs: ms(60_000, 100, 3_600_000, ['for which a member is passed over at most.']),
  ejectionJitter: share(0.2, 0.5, [
    'by which that time varies, so that members that fell together do not return together.',
  ]),
  forgiveAfterMs: ms(300_000, 1_000, 86_400_000, ['of good health after which earlier ejections are forgotten.']),
  goodProbesToRecover: count(2, 1, 100, ['good probes in probation that end it.']),
  slowStartMs: ms(10_000, 0, 600_000, ["in which a recovered member's share of first attempts grows to a full one."]),
  slowStartShare: share(0.1, 1, ['of first attempts at the beginning of that.']),
  windowMs: ms(60_000, 5_000, 600_000, ['of answers that are remembered.']),
  slowFactor: {
    byDefault: 3,
    least: 1.5,
    most: 100,
    unit: 'times',
    purpose: "The median answer of the other members, times this, is slow if a member's 95th percentile is above it.",
  },
  slowFloorMs: ms(15, 1, 5_000, ['below which nothing is slow: nobody notices whether it is 1 or 4.']),
  slowEvenUsuallyMs: ms(50, 1, 5_000, [
    'above which an answer may be slow although it usually takes the member that long. Below, it has to be slow by the',
    'same factor beside what is usual for it, so that a server at another site is not called slow for its distance.',
  ]),
  lateFloorMs: ms(8, 1, 5_000, [
    'below which no answer is late. One that is later, and takes a member longer than it usually does by the same factor,',
    'is a reason to ask it again at once, and another member beside it.',
  ]),
  soonMs: ms(30, 1, 1_000, [
    'after a late answer until the question is put again, or half of what that took; more or less by half,',
    'so as not to fall into step with what holds the member up.',
  ]),
  soonAtMost: count(30, 2, 100, ['answers of a member within `slowWithinMs` at which it is not asked again at once.']),
  slowAnswers: count(3, 1, 100, [
    'slow answers within `slowWithinMs` that make a member slow at once, before its 95th percentile shows it;',
    'if the others are not as late in the same time.',
  ]),
  slowShare: share(0.5, 1, ['of the time since the first of these was asked for in which slow ones were waited for.']),
  slowWithinMs: ms(1_500, 100, 60_000, ['in which these answers have to come.']),
  slowForMs: ms(500, 0, 60_000, ['for which answers have to be slow: a shorter trouble comes and goes.']),
  paceInARow: count(10, 1, 1_000, ['answers in a row that are not slow, after which it no longer is.']),
  panicBelow: share(0.5, 1, [
    'of members that answer, below which it is panic: no hedging, and ejected members are asked too.',
  ]),
} as const satisfies Readonly<Record<string, NumberSetting>>

export type HealthSettings = { readonly [Key in keyof typeof healthNumbers]: number }

/** Every number at its default, but for those given. */
export function healthSettings(given: Partial<HealthSettings> = {}): HealthSettings {
  return { ...defaults, ...given }
}

/** How often a member is asked in a cluster of that size, in milliseconds, before jitter. */
export function lightIntervalMs(members: number, settings: HealthSettings): number {
  return Math.min(settings.lightAtMostEveryMs, Math.max(settings.lightEveryMs, members * settings.lightPerMemberMs))
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every key of the table with its default
const defaults = Object.fromEntries(
  Object.entries(healthNumbers).map(([key, { byDefault }]) => [key, byDefault]),
) as HealthSettings

function ms(byDefault: number, least: number, most: number, purpose: readonly string[]): NumberSetting {
  return { byDefault, least, most, unit: 'milliseconds', purpose: `Milliseconds ${purpose.join(' ')}` }
}

function share(byDefault: number, most: number, purpose: readonly string[]): NumberSetting {
  return { byDefault, least: 0, most, unit: 'share', purpose: `Share, from 0 to 1, ${purpose.join(' ')}` }
}

function count(byDefault: number, least: number, most: number, purpose: readonly string[]): NumberSetting {
  return { byDefault, least, most, unit: 'count', purpose: `Number of ${purpose.join(' ')}` }
}
