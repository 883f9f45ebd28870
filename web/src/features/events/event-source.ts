/** What an event is about, from the path of its object. */
export interface EventObject {
  /** First words of its path: `instances`, `storage-pools`. */
  readonly kind: string
  readonly name: string
  /** What it is a part of: the instance of a snapshot, the pool of a volume. */
  readonly of: string | null
}

/**
 * Reads `/1.0/instances/web-1/snapshots/daily?project=shop`. Null where there is no object, or none that is understood.
 * Paths are built in incus `internal/server/lifecycle/*.go`.
 */
export function objectOf(source: string | null): EventObject | null {
  const [path = ''] = (source ?? '').split('?')
  const [version, ...segments] = path.split('/').filter(Boolean).map(decoded)
  if (version !== '1.0') return null
  // Everything of a cluster is one step further down.
  const [kind, name, ...rest] = segments[0] === 'cluster' ? segments.slice(1) : segments
  if (kind === undefined || name === undefined) return null
  const last = rest.at(-1)
  // `/volumes/custom/data`, `/snapshots/daily`, `/files`: only what has a name is a part.
  if (last === undefined || rest.length < 2) return { kind, name, of: null }
  return { kind: rest[0] ?? kind, name: last, of: partOf(name, rest) }
}

/** The pool of a volume; the volume of its snapshot. */
function partOf(name: string, [kind, , volume, ...deeper]: readonly string[]): string {
  return kind === 'volumes' && volume !== undefined && deeper.length > 0 ? volume : name
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** As people say it: fingerprints by their beginning, parts with what they are of. */
export function nameOf({ name, of }: EventObject): string {
  const short = /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name
  return of === null ? short : `${short} of ${of}`
}
