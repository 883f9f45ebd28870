import { createHash } from 'node:crypto'

/**
 * Stands for a person where only equality counts: in the page, which says with each request whose it is. Not a secret,
 * and nothing is allowed because of it.
 */
export function personTag(person: { readonly iss: string; readonly sub: string }): string {
  let tag = tags.get(person)
  if (tag === undefined) {
    tag = createHash('sha256')
      .update(JSON.stringify([person.iss, person.sub]))
      .digest('base64url')
    tags.set(person, tag)
  }
  return tag
}

/** Asked for with each request. */
const tags = new WeakMap<object, string>()
