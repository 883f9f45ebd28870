import { z } from 'zod'

/**
 * One row of `GET /1.0/instances?recursion=1` (incus `shared/api/instance.go`), cut down to what lists need: a whole row
 * is some three thousand characters, most of them configuration, and a cluster may have ten thousand.
 */
export interface IncusInstance {
  readonly name: string
  readonly project: string
  /** The member it is on; `none` on a server that is not clustered, empty where nothing is said. */
  readonly location: string
  /** `container` or `virtual-machine`; empty where nothing is said. */
  readonly type: string
  /**
   * Whether its member told it. One that does not answer has rows with status `Error` and nothing but name, project,
   * type and location (incus `cmd/incusd/instances_get.go`): then everything below is empty and means nothing.
   */
  readonly told: boolean
  readonly status: string
  readonly architecture: string
  readonly profiles: readonly string[]
  readonly description: string
  /** `image.description`, which Incus copies into the configuration of an instance. */
  readonly image: string
  /** Addresses that the configuration gives it. Those it got by itself take a question to each instance. */
  readonly addresses: readonly string[]
  /** RFC 3339 with nanoseconds; year 1 for never. */
  readonly created_at: string
  readonly last_used_at: string
}

const errorStatus = 112

// Read by hand and not field by field with zod: without code generation, which neither the page nor the console allows,
// that takes seconds for ten thousand rows with thirty configuration keys each, in which the console answers nobody.

/** A list of instances; a row without a name is left out, a field of another kind is empty. */
export const IncusInstances = z
  .array(z.unknown())
  .nullish()
  .transform((rows): IncusInstance[] => {
    const share = sharing()
    return (rows ?? []).flatMap((row) => instanceOf(row, share) ?? [])
  })

/** One instance. */
export const SingleIncusInstance = z.unknown().transform((row, context): IncusInstance => {
  const instance = instanceOf(row, sharing())
  if (instance !== undefined) return instance
  context.addIssue('an instance has to have a name')
  return z.NEVER
})

/** A row with only what is read of it here; the rest, most of it, can be let go at once. */
export function cutInstance(row: unknown): unknown {
  if (!isRecord(row)) return row
  const { name, project, location, type, status, status_code, architecture, profiles, description } = row
  const { created_at, last_used_at, config, expanded_devices } = row
  return {
    name,
    project,
    location,
    type,
    status,
    status_code,
    architecture,
    profiles,
    description,
    created_at,
    last_used_at,
    config: isRecord(config) ? { 'image.description': config['image.description'] } : config,
    expanded_devices: isRecord(expanded_devices)
      ? Object.fromEntries(
          Object.entries(expanded_devices).filter(([, device]) => isRecord(device) && device['type'] === 'nic'),
        )
      : expanded_devices,
  }
}

function instanceOf(row: unknown, share: Share): IncusInstance | undefined {
  if (!isRecord(row)) return undefined
  const { name, config, profiles, expanded_devices: devices } = row
  if (typeof name !== 'string' || name === '') return undefined
  return {
    name,
    project: share.text(row['project']) || 'default',
    location: share.text(row['location']),
    type: share.text(row['type']),
    told: !(row['status_code'] === errorStatus && !isRecord(config)),
    status: share.text(row['status']),
    architecture: share.text(row['architecture']),
    profiles: share.texts(profiles),
    description: share.text(row['description']),
    image: isRecord(config) ? share.text(config['image.description']) : '',
    addresses: isRecord(devices) ? addressesIn(devices) : none,
    created_at: textOf(row['created_at']),
    last_used_at: textOf(row['last_used_at']),
  }
}

const none: readonly string[] = []

function addressesIn(devices: Readonly<Record<string, unknown>>): readonly string[] {
  const found = Object.values(devices).flatMap((device) =>
    isRecord(device) && device['type'] === 'nic' ? [device['ipv4.address'], device['ipv6.address']] : [],
  )
  const addresses = found.filter((address) => typeof address === 'string' && /[.:]/.test(address))
  return addresses.length === 0 ? none : addresses.map(String)
}

/** Most rows say the same of most things: each text is kept once. */
interface Share {
  text(value: unknown): string
  texts(value: unknown): readonly string[]
}

function sharing(): Share {
  const texts = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  return {
    text: (value) => {
      const text = textOf(value)
      return texts.get(text) ?? (texts.set(text, text), text)
    },
    texts: (value) => {
      if (!Array.isArray(value) || value.length === 0) return none
      const list = value.filter((item) => typeof item === 'string')
      const key = list.join('\n')
      return lists.get(key) ?? (lists.set(key, list), list)
    },
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What `GET /1.0/instances` gives without `recursion`: paths such as `/1.0/instances/web-07?project=web`. */
export const IncusInstancePaths = z
  .array(z.string())
  .nullish()
  .transform((paths) => (paths ?? []).flatMap((path) => instanceIn(path) ?? []))

/** The instance that a path leads to, or to something of; nothing when it is another kind of path. */
export function instanceIn(path: string): { readonly project: string; readonly name: string } | undefined {
  const found = /^\/1\.0\/instances\/([^/?]+)[^?]*(?:\?(.*))?$/.exec(path)
  if (found?.[1] === undefined) return undefined
  try {
    const project = /(?:^|&)project=([^&]+)/.exec(found[2] ?? '')?.[1] ?? 'default'
    return { project: decodeURIComponent(project), name: decodeURIComponent(found[1]) }
  } catch {
    return undefined
  }
}
