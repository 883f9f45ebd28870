import { isIPv6 } from 'node:net'

/** A text in which addresses have given way to "a server": where members are is for administrators. */
export function withoutAddresses(text: string): string {
  return text
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, 'a server')
    .replaceAll(/\[[0-9a-f:.]+\](?::\d{1,5})?/gi, 'a server')
    .replaceAll(/[0-9a-f]*:[0-9a-f:.]*[0-9a-f:]/gi, (word) => (isIPv6(word) ? 'a server' : word))
}

/**
 * The same value with no address in what is said to people in it, however deep: messages, reasons and texts. Nearly
 * always there is none, and then it is given back as it is.
 */
export function wordsWithoutAddresses<Value>(value: Value): Value {
  // A text stays a text, and everything else what it was.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return mayHold(value, '') ? (cleaned(value, '') as Value) : value
}

/** Under these keys stand words, whoever wrote them: the console, Node or Incus. */
const wordKeys: ReadonlySet<string> = new Set(['message', 'reason', 'text', 'error', 'notContacted'])

/** Every address has one of these in it. */
const traceOfAddress = /\d\.\d|:/

/** Looks and makes nothing: this is on the way of every read of a list. */
function mayHold(value: unknown, key: string): boolean {
  if (typeof value === 'string') return wordKeys.has(key) && traceOfAddress.test(value)
  if (Array.isArray(value)) return value.some((item) => mayHold(item, key))
  if (!isRecord(value)) return false
  for (const name in value) if (mayHold(value[name], name)) return true
  return false
}

function cleaned(value: unknown, key: string): unknown {
  if (typeof value === 'string') return wordKeys.has(key) ? withoutAddresses(value) : value
  if (Array.isArray(value)) return value.map((item: unknown) => cleaned(item, key))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cleaned(item, name)]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
