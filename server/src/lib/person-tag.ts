import { createHash } from 'node:crypto'

/**
 * Stands for a person where only equality counts: in the page, which says with each request whose it is. Not a secret,
 * and nothing is allowed because of it.
 */
export function personTag({ iss, sub }: { readonly iss: string; readonly sub: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([iss, sub]))
    .digest('base64url')
}
