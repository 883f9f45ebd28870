import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

// Decision, 2026-11-22: replies of the API are compressed only where a route says that it may be. The size of what is
// compressed tells an onlooker something of it, and a secret beside text that they choose can be guessed from that
// (BREACH, https://breachattack.com). A list repeats nothing of its request, no other site can make a browser ask for it
// (the header of our own page, and cookies that stay at home), and names of instances are no secrets; as it is, ten
// thousand of them are 3 MB, and 0.25 MB compressed.

const worthwhile = 16 * 1024
/** `gzip`, and `gzip;q=0.5`, but not `gzip;q=0` (RFC 9110, 12.5.3). */
const takesGzip = /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i
const toGzip = promisify<string, object, Buffer>(gzip)

/** The body compressed where it is large and the browser takes it; null where it goes as it is. */
export async function packedIfLarge(body: string, acceptEncoding: unknown): Promise<Buffer | null> {
  if (body.length < worthwhile || typeof acceptEncoding !== 'string') return null
  if (!acceptEncoding.split(',').some((accepted) => takesGzip.test(accepted))) return null
  return toGzip(body, { level: 1 })
}
