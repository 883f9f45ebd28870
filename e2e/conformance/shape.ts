// The shape of a JSON value: which keys it has and of what type they are, without what they say. Two clusters never say
// the same; what they say it in has to be the same.

/** For each path (`.key`, `[]` for the elements of a list) the types seen there. */
export type Shape = ReadonlyMap<string, ReadonlySet<string>>

/**
 * @param openMaps paths of maps whose keys are names people or machines chose: `config`, `devices`, … Their values are
 * looked at under `{}`.
 */
export function shapeOf(value: unknown, openMaps: readonly string[] = []): Shape {
  const shape = new Map<string, Set<string>>()
  collect(value, '', openMaps, shape)
  return shape
}

/** What of the stand-in's shape is not in the real one, and the other way round; nothing when they agree. */
export function differences(real: Shape, standIn: Shape): string[] {
  const paths = [...new Set([...real.keys(), ...standIn.keys()])].toSorted()
  return paths.flatMap((path) => {
    const [there, here] = [real.get(path), standIn.get(path)]
    if (there === undefined) return hidden(path, real) ? [] : [`${path || 'the value'} is only in the stand-in`]
    if (here === undefined) return hidden(path, standIn) ? [] : [`${path || 'the value'} is only in Incus`]
    const foreign = [...here].filter((type) => !there.has(type))
    return foreign.length === 0
      ? []
      : [`${path || 'the value'} is ${foreign.join(' or ')}, in Incus ${[...there].join(' or ')}`]
  })
}

function collect(value: unknown, path: string, openMaps: readonly string[], into: Map<string, Set<string>>): void {
  const type = typeOf(value)
  const types = into.get(path) ?? new Set<string>()
  into.set(path, types.add(type))
  if (Array.isArray(value)) {
    for (const element of value) collect(element, `${path}[]`, openMaps, into)
  } else if (typeof value === 'object' && value !== null) {
    const open = openMaps.includes(path)
    for (const [key, child] of Object.entries(value))
      collect(child, open ? `${path}{}` : `${path}.${key}`, openMaps, into)
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'list' : typeof value
}

/** Nothing can be seen below a list that is empty, a map that is, or a value that is null. */
function hidden(path: string, shape: Shape): boolean {
  for (const end of ends(path)) {
    const parent = path.slice(0, end)
    const types = shape.get(parent)
    if (types === undefined) continue
    const inside = path.slice(end)
    if (inside.startsWith('[]') || inside.startsWith('{}'))
      return ![...shape.keys()].some((key) => key.startsWith(parent + inside.slice(0, 2)))
    return !types.has('object')
  }
  return false
}

/** Where the parents of a path end, the nearest first. */
function ends(path: string): number[] {
  return [...path.matchAll(/\.|\[\]|\{\}/g)].map(({ index }) => index).toReversed()
}
