import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from '../lib/random.ts'

/** From what a seal is made. Whoever lacks one of the two opens nothing. */
export interface SealKeys {
  /** In the browser's cookie and nowhere else. */
  readonly secret: Uint8Array
  /** In the key file, and not in the database. */
  readonly serverKey: Uint8Array
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Seals text with AES-256-GCM under HKDF-SHA-256 of the secret, salted with the server key (RFC 5869). `context` is
 * bound in: what was sealed for one row does not open in another.
 */
export function seal(text: string, context: string, keys: SealKeys, random: Random): Buffer {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(keys, context), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** The text, or undefined when any bit of the sealed bytes, the keys or the context is not as it was. Never throws. */
export function open(sealed: Uint8Array, context: string, keys: SealKeys): string | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', keyOf(keys, context), nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function keyOf({ secret, serverKey }: SealKeys, context: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, serverKey, `malleus ${context}`, 32))
}
