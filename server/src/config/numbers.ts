import { limitNumbers as gatewayLimitNumbers } from '../gateway/gateway-settings.ts'
import type { NumberSetting } from '../health/health-settings.ts'

/** What the console takes in from browsers and keeps for them at most, in the terms of the door, sessions and history. */
export const doorLimitNumbers = {
  urlBytes: bytes(8_192, 1_024, 65_536, 'of the address of a request; longer ones are answered 414.'),
  headerBytes: bytes(16_384, 4_096, 65_536, 'of all headers of a request; more are answered 431.'),
  headerCount: count(100, 20, 1_000, 'headers of a request; more are answered 431.'),
  jsonBytes: bytes(1_048_576, 1_024, 16_777_216, 'of a JSON body; more are answered 413. Incus itself takes one MiB.'),
  jsonDepth: count(64, 4, 256, 'levels of a JSON body; deeper ones are answered 400.'),
  jsonKeys: count(10_000, 10, 1_000_000, 'keys in a JSON body; more are answered 400.'),
  bodyIdleMs: ms(30_000, 1_000, 300_000, 'without a byte of a body that was announced.'),
  requestsPerSecond: count(50, 1, 10_000, 'requests per second of one session, in the long run.'),
  requestBurst: count(200, 1, 100_000, 'requests of one session at once.'),
  anonymousPerSecond: count(20, 1, 10_000, 'API requests per second and address of those who are not signed in.'),
  signInsPerMinute: count(60, 1, 10_000, 'sign-ins begun per minute and address.'),
  reportsPerMinute: count(60, 1, 10_000, 'reports of browsers about the content policy per minute and address.'),
  sessionIdleMs: ms(1_800_000, 60_000, 86_400_000, "without a person's input after which a session locks."),
  sessionMs: ms(36_000_000, 300_000, 604_800_000, 'after which a session ends in any case.'),
  sessionsPerPerson: count(5, 1, 100, 'sessions of one person; with one more the oldest ends.'),
  drainGraceMs: ms(
    5_000,
    0,
    60_000,
    'between the signal to stop and the last new request, in which readyz already fails, so that whoever balances notices.',
  ),
  auditQueue: count(10_000, 100, 1_000_000, 'records that wait to be written; with more, reads are refused too.'),
} as const satisfies Readonly<Record<string, NumberSetting>>

/** Everything under `limits:`. */
export const limitNumbers = { ...doorLimitNumbers, ...gatewayLimitNumbers } as const

export type Limits = { readonly [Name in keyof typeof limitNumbers]: number }

function ms(byDefault: number, least: number, most: number, purpose: string): NumberSetting {
  return { byDefault, least, most, unit: 'milliseconds', purpose: `Milliseconds ${purpose}` }
}

function bytes(byDefault: number, least: number, most: number, purpose: string): NumberSetting {
  return { byDefault, least, most, unit: 'count', purpose: `Bytes ${purpose}` }
}

function count(byDefault: number, least: number, most: number, purpose: string): NumberSetting {
  return { byDefault, least, most, unit: 'count', purpose: `Number of ${purpose}` }
}
