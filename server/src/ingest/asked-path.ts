/** What was asked for, without what anybody may have put into it: of the query, only the keys that are known. */
export interface AskedPath {
  /** With `{}` for every name, e.g. `/1.0/instances/{}/state`. */
  readonly route: string
  /** The same with the names. */
  readonly path: string
  /** The last name in it; null where there is none. */
  readonly object: string | null
  readonly project: string | null
  /** `?target=` */
  readonly placement: string | null
  /** Names of the query keys, in alphabetical order. */
  readonly query: readonly string[]
}

/**
 * Reads the URL of a request. From the first piece on that belongs to no known route it is cut off with `…`: what a
 * stranger wrote there could be anything. Query values are dropped, since Incus takes secrets in them
 * (`?secret=`, incus `doc/rest-api.md`), but for the names of a project and of a member.
 */
export function readAskedPath(url: string): AskedPath {
  const [path = '', search = ''] = url.split('?', 2)
  const query = new URLSearchParams(search)
  return {
    ...readPieces(path.split('/').slice(1)),
    project: nameOf(query.get('project')),
    placement: nameOf(query.get('target')),
    query: [...new Set(query.keys())].filter((key) => queryKeys.has(key)).toSorted(),
  }
}

function readPieces(pieces: readonly string[]): Pick<AskedPath, 'route' | 'path' | 'object'> {
  const [first = '', ...rest] = pieces
  if (first !== '1.0') return first === '' || roots.has(first) ? cut(first === '' ? '/' : `/${first}/…`) : cut('/…')
  let route = '/1.0'
  let path = '/1.0'
  let object: string | null = null
  let before: string | null = null
  for (const piece of rest) {
    const kinds: readonly string[] | undefined = before === null ? undefined : namesFollow.get(before)
    const isName: boolean = kinds !== undefined && !kinds.includes(piece)
    if (!isName && !words.has(piece)) return { route: `${route}/…`, path: `${path}/…`, object }
    const name: string | null = isName ? nameOf(decoded(piece)) : null
    if (isName && name === null) return { route: `${route}/…`, path: `${path}/…`, object }
    route += isName ? '/{}' : `/${piece}`
    path += `/${piece}`
    object = name ?? object
    before = isName ? null : piece
  }
  return { route, path, object }
}

function cut(to: string): Pick<AskedPath, 'route' | 'path' | 'object'> {
  return { route: to, path: to, object: null }
}

function decoded(piece: string): string | null {
  try {
    return decodeURIComponent(piece)
  } catch {
    return null
  }
}

function nameOf(text: string | null): string | null {
  return text !== null && /^[^\p{C}\s]{1,128}$/u.test(text) ? text : null
}

const roots = new Set(['internal', 'os', 'ui', 'documentation', 'oidc', '.well-known'])

/** After these comes a name, unless it is one of the words beside it (incus `doc/rest-api.yaml`). */
const namesFollow: ReadonlyMap<string, readonly string[]> = new Map([
  ['images', ['aliases']],
  ['volumes', ['custom', 'container', 'virtual-machine', 'image']],
  ['logs', ['exec-output']],
  ...[
    'instances containers virtual-machines profiles projects networks network-acls network-address-sets',
    'network-zones records network-integrations forwards load-balancers peers storage-pools buckets keys aliases',
    'certificates operations warnings members groups snapshots backups exec-output custom container virtual-machine image',
  ]
    .join(' ')
    .split(' ')
    .map((word): [string, readonly string[]] => [word, []]),
])

const words = new Set([
  ...namesFollow.keys(),
  ...[
    'cluster certificate events resources metrics metadata configuration state exec console files sftp nbd rebuild',
    'access debug memory repair port-forward nvram bitmaps leases network-allocations secret refresh export wait',
    'websocket log templates storage-volumes',
  ]
    .join(' ')
    .split(' '),
])

const queryKeys = new Set([
  'all-projects',
  'filter',
  'force',
  'path',
  'project',
  'public',
  'recursion',
  'secret',
  'target',
  'timeout',
  'type',
])
