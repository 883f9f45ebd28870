import type { Operation } from '@malleus/shared/api/operations.ts'

/** An object that an operation works on, from its path. */
export interface Resource {
  readonly path: string
  /** "instance", "server"; what Incus calls it where there is no word of ours. */
  readonly kind: string
  readonly name: string
  readonly project: string | null
}

const kinds: Readonly<Record<string, string>> = {
  instances: 'instance',
  images: 'image',
  profiles: 'profile',
  networks: 'network',
  'storage-pools': 'storage pool',
  projects: 'project',
  certificates: 'certificate',
  snapshots: 'snapshot',
  backups: 'backup',
  volumes: 'volume',
}

/** `/1.0/instances/c1/snapshots/s1?project=web` is the snapshot c1/s1 in project web. */
export function resourceOf(path: string): Resource {
  const [address = '', query = ''] = path.split('?')
  const pieces = address.split('/').filter(Boolean).slice(1).map(decoded)
  const project = new URLSearchParams(query).get('project')
  if (pieces[0] === 'cluster' && pieces[1] === 'members') {
    return { path, kind: 'server', name: pieces[2] ?? '', project }
  }
  const [kind = '', first = '', inner = '', ...rest] = pieces
  const word = kinds[inner] ?? kinds[kind] ?? kind
  // A fingerprint says as much in its beginning.
  const name = kind === 'images' || kind === 'certificates' ? first.slice(0, 12) : first
  return { path, kind: word, name: [name, ...rest].filter(Boolean).join('/'), project }
}

/** Names of what an operation works on, each once. */
export function objectsOf({ resources }: Operation): readonly string[] {
  return [...new Set(resources.map((path) => resourceOf(path).name).filter(Boolean))]
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    return piece
  }
}
