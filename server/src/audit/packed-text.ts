/**
 * Records in a third of their length. Most of a record's text are the names of its parts, and values that stand in
 * columns beside it; here each of these is one control character, of which canonical JSON has none (RFC 8785: they are
 * escaped). So packing and unpacking give back every text to the character, and a text that was never packed is its own.
 *
 * What is packed is on disks: to `words` may only be added, at the end, and what stands there never changes.
 */

/** What stands beside a text. */
export interface Beside {
  readonly chain: string
  readonly hash: string
  readonly prev: string
  /** Milliseconds since 1970. */
  readonly at: number
}

const words = [
  '{"action":"',
  '","actor":{"amr":[],"authTime":null,"iss":null,"name":"',
  '","protocol":"',
  '","roles":[],"session":null,"sub":null}',
  '"actor":null',
  ',"cluster":"',
  '","decision":{"allow":true,"rule":"',
  '","decision":{"allow":false,"rule":"',
  ',"object":"',
  '","out":null,"phase":"event"',
  '","out":null,"phase":"intent"',
  ',"req":{"body":null,"changed":[],"count":1,"id":"',
  '","method":"GET","path":"',
  '","placement":null,"project":null,"query":[],"route":"',
  '"},"seq":',
  ',"source":"incus","src":{"ip":"',
  ',"source":"console","src":{"ip":"',
  '","via":null}',
  ',"up":{"attempts":1,"hedged":false,"incusUser":null,"mode":null,"via":"',
  '"},"v":1}',
  ',"up":null,"v":1}',
  '"authTime":null',
] as const

/** U+0001 to U+001F without tab and the ends of lines, so that a line stays one; the first four are for columns. */
const signs = Array.from({ length: 31 }, (_, index) => String.fromCodePoint(index + 1)).filter(
  (sign) => !['\t', '\n', '\r'].includes(sign),
)
const [CHAIN = '', HASH = '', PREV = '', TIME = ''] = signs
const signOf = new Map(words.map((word, index) => [word as string, signs[index + 4] ?? '']))
const wordOf = new Map([...signOf].map(([word, sign]) => [sign, word]))
/** Longer words first: some begin as others do. */
const anyWord = new RegExp(
  [...words]
    .toSorted((a, b) => b.length - a.length)
    .map((word) => RegExp.escape(word))
    .join('|'),
  'g',
)
const anySign = new RegExp(`[${signs.map((sign) => RegExp.escape(sign)).join('')}]`, 'g')

export function packText(text: string, beside: Beside): string {
  return text
    .replace(chainIn(beside), CHAIN)
    .replace(hashIn(beside), HASH)
    .replace(prevIn(beside), PREV)
    .replace(timeIn(beside), TIME)
    .replaceAll(anyWord, (word) => signOf.get(word) ?? word)
}

export function unpackText(packed: string, beside: Beside): string {
  return packed.replaceAll(anySign, (sign) => {
    switch (sign) {
      case CHAIN:
        return chainIn(beside)
      case HASH:
        return hashIn(beside)
      case PREV:
        return prevIn(beside)
      case TIME:
        return timeIn(beside)
      default:
        return wordOf.get(sign) ?? sign
    }
  })
}

function chainIn({ chain }: Beside): string {
  return `,"chain":"${chain}"`
}

function hashIn({ hash }: Beside): string {
  return `,"hash":"${hash}"`
}

function prevIn({ prev }: Beside): string {
  return `,"prev":"${prev}"`
}

function timeIn({ at }: Beside): string {
  return `,"ts":"${new Date(at).toISOString()}"`
}
