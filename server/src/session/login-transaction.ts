import { z } from 'zod'
import type { Keys } from '../lib/keys.ts'
import type { Random } from '../lib/random.ts'
import { cookieValues, expireLoginCookie, loginCookieName, setLoginCookie } from './cookies.ts'
import { open, seal } from './seal.ts'

/** A sign-in that has begun in a browser and is being finished at the provider. */
export const LoginTransaction = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** For a step-up: what the page calls it, and who has to come back. */
  proof: z.object({ id: z.string(), iss: z.string(), sub: z.string() }).nullable(),
  /** Key of the session's row that it takes the place of, hexadecimal. */
  replaces: z.string().nullable(),
  /** Milliseconds since 1970. */
  begunAt: z.number(),
})
export type LoginTransaction = z.infer<typeof LoginTransaction>

export const loginTransactionMs = 10 * 60_000

const CONTEXT = 'login transactions'
/** Browsers take cookies of 4096 bytes, name and attributes included (RFC 6265, 6.1). */
const MOST_BYTES = 3500

/**
 * The sign-ins of one browser, sealed in a cookie of their own. Several, because each open tab may begin one when a
 * session ends; when they no longer fit, the oldest is dropped.
 */
export function writeTransactions(
  transactions: readonly LoginTransaction[],
  keys: Pick<Keys, 'server' | 'hmac'>,
  random: Random,
): string {
  for (let kept = transactions; kept.length > 0; kept = kept.slice(1)) {
    const sealed = seal(JSON.stringify(kept), CONTEXT, sealKeys(keys), random).toString('base64url')
    if (sealed.length <= MOST_BYTES) return setLoginCookie(sealed, loginTransactionMs / 1000)
  }
  return expireLoginCookie()
}

/** Those in a request's `Cookie` header that are not too old. Never throws for what a browser may send. */
export function readTransactions(
  cookieHeader: string | undefined,
  keys: Pick<Keys, 'server' | 'hmac'>,
  now: number,
): readonly LoginTransaction[] {
  const [value, ...more] = cookieValues(cookieHeader, loginCookieName)
  if (value === undefined || more.length > 0 || !/^[\w-]+$/.test(value)) return []
  const sealed = Buffer.from(value, 'base64url')
  // The last character has bits that say nothing: only one of its forms is ours.
  const text = sealed.toString('base64url') === value ? open(sealed, CONTEXT, sealKeys(keys)) : undefined
  const transactions = text === undefined ? [] : (z.array(LoginTransaction).safeParse(JSON.parse(text)).data ?? [])
  return transactions.filter(({ begunAt }) => now - begunAt < loginTransactionMs && begunAt <= now)
}

function sealKeys({ server, hmac }: Pick<Keys, 'server' | 'hmac'>) {
  return { secret: server, serverKey: hmac }
}
