import { formatPath, type Mistake } from './mistake.ts'

export interface Sources {
  /** Reads a file named in the configuration; throws as `fs.readFileSync` does. */
  readonly readText: (path: string) => string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The same tree with every `{ file: … }` and `{ env: … }` replaced by what it names, and what could not be found. */
export function resolveReferences(tree: unknown, sources: Sources): { tree: unknown; mistakes: Mistake[] } {
  const mistakes: Mistake[] = []
  return { tree: visit(tree, []), mistakes }

  function visit(value: unknown, path: readonly (string | number)[]): unknown {
    if (Array.isArray(value)) return value.map((item: unknown, index) => visit(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return value
    const reference = referenceIn(value, path)
    if (reference !== undefined) return follow(reference, path)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]))
  }

  function follow(reference: Reference, path: readonly (string | number)[]): string {
    const found = reference.kind === 'env' ? fromEnvironment(reference.name) : fromFile(reference.name)
    if (found.ok) return found.text
    mistakes.push({ path: formatPath(path), message: found.message })
    return ''
  }

  function fromEnvironment(name: string): Found {
    const text = sources.environment[name]
    return text === undefined ? { ok: false, message: `the environment has no variable ${name}` } : { ok: true, text }
  }

  function fromFile(path: string): Found {
    try {
      // Editors end a file with a line break; a secret does not have one.
      return { ok: true, text: sources.readText(path).replace(/\r?\n$/, '') }
    } catch (error) {
      return { ok: false, message: cannotRead(path, error) }
    }
  }
}

/** Why a file could not be read, in words. */
export function cannotRead(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return `the file ${path} does not exist`
  if (code === 'EACCES') return `the file ${path} may not be read by this user`
  if (code === 'EISDIR') return `${path} is a folder, not a file`
  return `the file ${path} cannot be read (${String(code ?? error)})`
}

interface Reference {
  readonly kind: 'file' | 'env'
  readonly name: string
}
type Found = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string }

function referenceIn(value: object, path: readonly (string | number)[]): Reference | undefined {
  // `keys: { file }` names the file itself, which need not exist yet.
  if (path.length === 1 && path[0] === 'keys') return undefined
  const entries = Object.entries(value)
  const [kind, name]: readonly unknown[] = entries[0] ?? []
  if (entries.length !== 1 || typeof name !== 'string' || (kind !== 'file' && kind !== 'env')) return undefined
  return { kind, name }
}
