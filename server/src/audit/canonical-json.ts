/** What JSON can say. `undefined` members are left out, as JSON does. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * The one form of a value in which it is hashed: RFC 8785, JSON Canonicalization Scheme. Members are sorted by their
 * UTF-16 code units, there is no white space, and numbers and strings are written as ECMAScript writes them.
 *
 * @throws TypeError for a number that JSON cannot say and for half of a surrogate pair (RFC 8785, 3.2.2).
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return canonicalNumber(value)
  if (typeof value === 'string') return canonicalString(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  let members = ''
  for (const { key, written } of inOrder(Object.keys(value))) {
    const member = value[key]
    if (member !== undefined) members += `${members === '' ? '' : ','}${written}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

type Keys = readonly { readonly key: string; readonly written: string }[]

const MOST_ORDERS = 500
const orders = new Map<string, Keys>()

/** Objects have the same few sets of keys over and over, and sorting them is what a record costs most: each is sorted once. */
function inOrder(keys: readonly string[]): Keys {
  const names = keys.join('\n')
  const known = orders.get(names)
  if (known?.length === keys.length) return known
  const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1)).map((key) => ({ key, written: canonicalString(key) }))
  if (orders.size >= MOST_ORDERS) orders.clear()
  // A key with a line break in it could be taken for two.
  if (!keys.some((key) => key.includes('\n'))) orders.set(names, sorted)
  return sorted
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} has no form in JSON`)
  return JSON.stringify(value)
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('half of a surrogate pair has no form in JSON')
  return JSON.stringify(value)
}

// Array.isArray does not narrow readonly arrays.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
