import { z } from 'zod'

/** What is sealed in a session's row: who it is, and what the provider gave to act for them. */
export const SessionPayload = z.object({
  v: z.literal(1),
  iss: z.string(),
  sub: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  groups: z.array(z.string()),
  authTime: z.int().nullable(),
  amr: z.array(z.string()),
  /** For the provider's own sign-out. */
  idToken: z.string(),
  refreshToken: z.string().nullable(),
  /** By the audience they were asked for; the one of the sign-in under the empty name. */
  accessTokens: z.record(z.string(), z.object({ token: z.string(), issuedAt: z.number(), expiresAt: z.number() })),
})
export type SessionPayload = z.infer<typeof SessionPayload>

/** An access token and when it begins and ends, in milliseconds since 1970. */
export type AccessToken = SessionPayload['accessTokens'][string]

/** Reads what was sealed; undefined when it is not a payload of this version. */
export function parsePayload(text: string): SessionPayload | undefined {
  try {
    return SessionPayload.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const REFRESH_BEFORE_MS = 60_000

/** Whether it is time to renew it: less than a minute is left, or less than half of one that lives very shortly. */
export function isEnding({ issuedAt, expiresAt }: AccessToken, now: number): boolean {
  return expiresAt - now < Math.min(REFRESH_BEFORE_MS, (expiresAt - issuedAt) / 2)
}
