import { Refusal } from './problem.ts'

/** The address of a request, taken apart once; nothing decodes it again. */
export interface RequestPath {
  /** As it was sent, without the query. */
  readonly raw: string
  /** Each segment decoded. The last one is empty when the path ends with a slash. */
  readonly segments: readonly string[]
  /** What follows the question mark, as it was sent. */
  readonly query: string
}

/**
 * Takes the address of a request apart. A path that could mean two things to two readers is refused: relative and
 * empty segments, encoded separators, control characters, and anything that would still change if decoded once more.
 */
export function parseRequestPath(url: string): RequestPath {
  if (!/^\/[\x21-\x7e]*$/.test(url) || /[#\\]/.test(url)) throw badPath('holds characters that have no place in it')
  const mark = url.indexOf('?')
  const raw = mark === -1 ? url : url.slice(0, mark)
  const segments = raw.slice(1).split('/').map(decodeSegment)
  if (segments.slice(0, -1).includes('')) throw badPath('has an empty part')
  return { raw, segments, query: mark === -1 ? '' : url.slice(mark + 1) }
}

function decodeSegment(encoded: string): string {
  const segment = decode(encoded)
  if (segment === undefined) throw badPath('is not percent-encoded UTF-8')
  if (segment === '.' || segment === '..') throw badPath('has a relative part')
  if (/[/\\#%\p{Cc}\p{Cs}]/u.test(segment)) throw badPath('holds an encoded separator or control character')
  return segment
}

/** Keys the browser must never send: Incus would take them for credentials. */
const forbiddenKeys = new Set(['secret', 'access_token'])

/** The query as keys and values, each key once. */
export function parseQuery(query: string): Readonly<Record<string, string>> {
  if (query === '') return {}
  const values: [string, string][] = []
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=')
    const key = decode(plusAsSpace(at === -1 ? pair : pair.slice(0, at)))
    const value = decode(plusAsSpace(at === -1 ? '' : pair.slice(at + 1)))
    if (key === undefined || value === undefined || /\p{Cc}/u.test(key + value)) {
      throw new Refusal('bad_query', 'The query is not well formed.')
    }
    if (forbiddenKeys.has(key.toLowerCase())) throw new Refusal('bad_query', `The query must not have "${key}".`)
    if (values.some(([known]) => known === key)) throw new Refusal('bad_query', `The query has "${key}" twice.`)
    values.push([key, value])
  }
  return Object.fromEntries(values)
}

function plusAsSpace(text: string): string {
  return text.replaceAll('+', ' ')
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function badPath(what: string): Refusal {
  return new Refusal('bad_path', `The address of the request ${what}.`)
}
