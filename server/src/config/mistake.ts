import type { z } from 'zod'

/** One thing that is wrong with the configuration: where, and in words what is expected there. */
export interface Mistake {
  /** As one would write it: `clusters[0].trust.fingerprints[1]`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** Every mistake on a line of its own, for a terminal. */
export function describeMistakes(file: string, mistakes: readonly Mistake[]): string {
  const lines = mistakes.map(({ path, message }) => (path === '' ? `  ${message}` : `  ${path}: ${message}`))
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  return `${file} has ${count}:\n${lines.join('\n')}\n`
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? String(part) : `${text}.${String(part)}`
  }, '')
}

/** The mistakes of a failed parse. `raw` is what was parsed: its values are quoted where they cannot be secrets. */
export function mistakesOf(error: z.ZodError, raw: unknown): Mistake[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key]),
        message: 'is not a setting of this version of Malleus',
      }))
    }
    const value = valueAt(raw, issue.path)
    const path = formatPath(issue.path)
    if (value === undefined) return [{ path, message: `is missing; expected ${issue.message}` }]
    return [{ path, message: `expected ${issue.message}, not ${show(value, issue.path)}` }]
  })
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined
    // One grant may stand where a list of them may: `roles.viewer[0]` is then `roles.viewer` itself.
    if (typeof part === 'number' && !Array.isArray(value)) return value
    return Object.hasOwn(value, part) ? Object.getOwnPropertyDescriptor(value, part)?.value : undefined
  }, raw)
}

/** What stands there, short; never the text of what may be a secret. */
function show(value: unknown, path: readonly PropertyKey[]): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return typeof value
  if (value === '') return 'an empty text'
  return value.length > 60 || /secret|key|password|token|storage/i.test(formatPath(path)) ? 'this text' : `"${value}"`
}
