/**
 * The numbers by which requests to members are carried, as data: the configuration derives its schema under
 * `hedging:` and `limits:` and its reference from them.
 */

import type { NumberSetting } from '../health/health-settings.ts'

/** Under `hedging:` in the configuration: how long to wait for one member before another one is asked as well. */
export const hedgingNumbers = {
  delayLeastMs: ms(30, 0, 5_000, 'that a second member is asked after the first, at the earliest.'),
  delayMostMs: ms(300, 10, 10_000, 'that a second member is asked after the first, at the latest.'),
  delayWithoutDataMs: ms(
    100,
    0,
    5_000,
    'that a second member is asked after the first, before there are measurements.',
  ),
  thirdAfterMs: ms(200, 10, 10_000, 'after the second attempt that a third one takes the place of the oldest.'),
  connectionAfterMs: ms(100, 10, 5_000, 'without a connection after which the next member is tried.'),
  attempts: count(3, 1, 5, 'attempts that one request may make in total, each at another member.'),
  inFlight: count(2, 1, 3, 'attempts of one request that may be under way at once.'),
  budgetCapacity: count(50, 0, 10_000, 'hedges and retries that may be saved up.'),
  budgetPerRequest: { ...count(0.1, 0, 1, 'hedges and retries that each request adds.'), unit: 'share' },
  budgetPerSecond: { ...count(2, 0, 1_000, 'hedges and retries that each second adds.'), unit: 'share' },
} as const satisfies Readonly<Record<string, NumberSetting>>

/** Under `limits:` in the configuration: deadlines, and how much one member may have under way. */
export const limitNumbers = {
  connectMs: ms(1_000, 50, 30_000, 'in which a connection has to be accepted.'),
  tlsMs: ms(1_000, 50, 30_000, 'in which a TLS handshake has to be complete.'),
  readMs: ms(5_000, 100, 60_000, 'in which a read has to be answered, whatever is tried.'),
  listMs: ms(10_000, 100, 120_000, 'in which a list has to be answered.'),
  mutationMs: ms(30_000, 1_000, 600_000, 'in which a change has to be answered; after them its outcome is unknown.'),
  longPollMs: ms(65_000, 1_000, 600_000, 'in which a long poll has to be answered.'),
  streamOpenMs: ms(5_000, 100, 60_000, 'in which a stream has to be open.'),
  readsPerMember: count(64, 1, 1_024, 'reads that one member may have under way.'),
  listsPerMember: count(8, 1, 256, 'lists that one member may have under way; each may make it ask all others.'),
  mutationsPerMember: count(16, 1, 256, 'changes that one member may have under way.'),
  streamsPerMember: count(64, 1, 1_024, 'streams that one member may have open.'),
  queuePerMember: count(128, 0, 10_000, 'requests that may wait for one member.'),
  queueMs: ms(1_000, 0, 30_000, 'for which a request may wait for its turn at one member.'),
  connectionsPerAddress: count(4, 1, 64, 'connections per client address and member, where PROXY headers are sent.'),
  replyBytes: { ...count(67_108_864, 1_048_576, 1_073_741_824, 'bytes that the body of one answer may have.') },
} as const satisfies Readonly<Record<string, NumberSetting>>

export type HedgingSettings = { readonly [Key in keyof typeof hedgingNumbers]: number }
export type LimitSettings = { readonly [Key in keyof typeof limitNumbers]: number }

export interface GatewaySettings {
  readonly hedging: HedgingSettings
  readonly limits: LimitSettings
}

/** Every number at its default, but for those given. */
export function gatewaySettings(
  given: { readonly hedging?: Partial<HedgingSettings>; readonly limits?: Partial<LimitSettings> } = {},
): GatewaySettings {
  return {
    hedging: { ...defaultsOf(hedgingNumbers), ...given.hedging },
    limits: { ...defaultsOf(limitNumbers), ...given.limits },
  }
}

function defaultsOf<Key extends string>(numbers: Readonly<Record<Key, NumberSetting>>): Record<Key, number> {
  // The cast only says what the line does: every key of the table with its default.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(
    Object.entries<NumberSetting>(numbers).map(([key, { byDefault }]) => [key, byDefault]),
  ) as Record<Key, number>
}

function ms(byDefault: number, least: number, most: number, purpose: string): NumberSetting {
  return { byDefault, least, most, unit: 'milliseconds', purpose: `Milliseconds ${purpose}` }
}

function count(byDefault: number, least: number, most: number, purpose: string): NumberSetting {
  return { byDefault, least, most, unit: 'count', purpose: `Number of ${purpose}` }
}
