/**
 * Step-up: what reaches far is done by somebody who proved a moment ago who they are, not by whoever sits at a desk
 * that was left. The proof is the provider's word for when it last asked (`auth_time`, OpenID Connect Core 1.0, 2).
 */

const provenForMs = 5 * 60_000
/** By how much the clock of the provider may differ from ours. */
const skewMs = 30_000

/**
 * Whether a sign-in is recent enough for what needs step-up: at most five minutes ago. One that is said to be in the
 * future is not believed beyond what clocks differ by.
 *
 * @param authTime seconds since 1970; null when the provider did not say, which proves nothing.
 * @param now milliseconds since 1970.
 */
export function isProvenLately(authTime: number | null, now: number): boolean {
  if (authTime === null) return false
  const ageMs = now - authTime * 1000
  return ageMs >= -skewMs && ageMs <= provenForMs
}

/**
 * Whether the provider asked again since a step-up began. `max_age` and `prompt` are wishes that travel through the
 * browser, so what came of them is looked at (OpenID Connect Core 1.0, 3.1.3.7, 13).
 *
 * @param authTime seconds since 1970.
 * @param begunAt milliseconds since 1970.
 */
export function isProvenSince(authTime: number, begunAt: number): boolean {
  return authTime * 1000 >= begunAt - skewMs
}
