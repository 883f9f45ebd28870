/**
 * Seals what the console has to keep and must not show, such as a private key: whoever has the database and not the key
 * file cannot read it, and nobody can put what was sealed for one row into another.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from '../lib/random.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * The text sealed with AES-256-GCM under a key derived from the server key by HKDF-SHA-256 (RFC 5869).
 *
 * @param context what it is kept for and in which row, e.g. `certificate key 9f41…`; needed to open it
 */
export function sealSecret(
  text: string,
  context: string,
  serverKey: Uint8Array,
  random: Pick<Random, 'bytes'>,
): Buffer {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyFor(context, serverKey), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** The text, or undefined when any bit of the sealed bytes, the server key or the context is not as it was. Never throws. */
export function openSecret(sealed: Uint8Array, context: string, serverKey: Uint8Array): string | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', keyFor(context, serverKey), nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function keyFor(context: string, serverKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', serverKey, new Uint8Array(), `malleus secret ${context}`, 32))
}
