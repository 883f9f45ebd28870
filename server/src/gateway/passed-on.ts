// Some questions Incus does not answer where they arrive: it passes them on to the member that they are about, and waits
// for it without a limit of its own (incus `internal/server/response`, ForwardedResponse). Asking a second member about
// the same one only makes two of them wait.

import type { ReadRequest } from './request.ts'

/** The one member that can answer; null when any can, `unknown` when there is one and nobody knows which. */
export type OnlyAnswerer = { readonly name: string } | 'unknown' | null

/** Who alone can answer, as far as the request says: by its path, its `target`, or by whoever asks for it. */
export function onlyAnswerer({ path, query, on }: Pick<ReadRequest<unknown>, 'path' | 'query' | 'on'>): OnlyAnswerer {
  if (on !== undefined) return on === null ? 'unknown' : { name: on }
  const named = /^\/cluster\/members\/([^/]+)\/state$/.exec(path)?.[1]
  if (named !== undefined) return { name: decodeURIComponent(named) }
  const target = query?.['target']
  // A group is nobody: Incus chooses one of it.
  return target === undefined || target === '' || target.startsWith('@') ? null : { name: target }
}
