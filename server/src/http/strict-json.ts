import { Refusal } from './problem.ts'

export interface JsonLimits {
  readonly jsonDepth: number
  readonly jsonKeys: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads JSON as RFC 8259 has it, and refuses what two readers could understand in two ways: a key twice in an object,
 * `__proto__`, bytes that are no UTF-8, a byte order mark; and what is there only to keep a reader busy.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new Refusal('bad_body', 'The body is not UTF-8.')
  }
  checkStructure(text, limits)
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('bad_body', 'The body is not JSON.')
  }
}

/** Walks over the tokens that make the structure. Text that is no JSON may pass; the parser finds it afterwards. */
function checkStructure(text: string, limits: JsonLimits): void {
  // One entry per open bracket: the keys so far of an object, null for an array.
  const open: (Set<string> | null)[] = []
  let keys = 0
  let keyMayFollow = false
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case openBrace:
      case openBracket:
        keyMayFollow = text.charCodeAt(at) === openBrace
        open.push(keyMayFollow ? new Set() : null)
        if (open.length > limits.jsonDepth) throw new Refusal('bad_body', 'The body is nested too deeply.')
        break
      case closeBrace:
      case closeBracket:
        open.pop()
        keyMayFollow = false
        break
      case comma:
        keyMayFollow = open.at(-1) instanceof Set
        break
      case quote: {
        const end = endOfString(text, at)
        const own = open.at(-1)
        if (keyMayFollow && own instanceof Set) {
          keys += 1
          if (keys > limits.jsonKeys) throw new Refusal('bad_body', 'The body has too many keys.')
          addKey(own, text.slice(at, end + 1))
        }
        keyMayFollow = false
        at = end
        break
      }
      default:
    }
  }
}

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

/** Position of the quote that ends the string; the end of the text when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === backslash) at += 1
    else if (code === quote) return at
  }
  return text.length
}

function addKey(own: Set<string>, quoted: string): void {
  const key = unquote(quoted)
  if (key === '__proto__') throw new Refusal('bad_body', 'The body has a key "__proto__".')
  if (own.has(key)) throw new Refusal('bad_body', 'The body has a key twice in one object.')
  own.add(key)
}

function unquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    const key: unknown = JSON.parse(quoted)
    return String(key)
  } catch {
    throw new Refusal('bad_body', 'The body is not JSON.')
  }
}
