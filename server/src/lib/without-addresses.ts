import { isIPv6 } from 'node:net'

/** A text in which addresses have given way to "a server": where members are is for administrators. */
export function withoutAddresses(text: string): string {
  return text
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, 'a server')
    .replaceAll(/\[[0-9a-f:.]+\](?::\d{1,5})?/gi, 'a server')
    .replaceAll(/[0-9a-f]*:[0-9a-f:.]*[0-9a-f:]/gi, (word) => (isIPv6(word) ? 'a server' : word))
}

/**
 * The same value with no address in what is said to people in it, however deep: messages, reasons and texts. What is not
 * changed is not copied.
 */
export function wordsWithoutAddresses<Value>(value: Value): Value {
  // A text stays a text, and everything else what it was.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return cleaned(value, '') as Value
}

/** Under these keys stand words, whoever wrote them: the console, Node or Incus. */
const wordKeys: ReadonlySet<string> = new Set(['message', 'reason', 'text', 'error', 'notContacted'])

function cleaned(value: unknown, key: string): unknown {
  if (typeof value === 'string') return wordKeys.has(key) ? withoutAddresses(value) : value
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    const after = items.map((item) => cleaned(item, key))
    return after.some((item, at) => item !== items[at]) ? after : value
  }
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = Object.entries(value)
  const after = entries.map(([name, item]) => [name, cleaned(item, name)] as const)
  return after.some(([, item], at) => item !== entries[at]?.[1]) ? Object.fromEntries(after) : value
}
