import type { Instance } from '@malleus/shared/api/instances.ts'
import { columnsFrom, sortFrom, sortText } from '../../components/table-choice.ts'
import { plural } from '../../lib/plural.ts'
import type { Sort } from '../../ui/Table.tsx'
import type { InstanceColumn } from './instance-columns.tsx'
import { typeWord } from './instance-state.ts'

/** Which instances the table shows, in which order, with which columns: what the link and the person ask for. */

export const allColumns: readonly InstanceColumn[] = [
  'name',
  'state',
  'type',
  'project',
  'location',
  'addresses',
  'profiles',
  'image',
  'architecture',
  'description',
  'created',
  'lastUsed',
]
/** Always there: what a row is, and how it is. */
export const fixedColumns: readonly InstanceColumn[] = ['name', 'state']
const chosenAtFirst: readonly InstanceColumn[] = ['type', 'project', 'location', 'addresses', 'profiles', 'created']

/** What was chosen, in the usual order; where nothing was, what a window of usual width has room for. */
export function shownColumns(chosen: readonly string[] | null): readonly InstanceColumn[] {
  return columnsFrom(allColumns, fixedColumns, chosen ?? chosenAtFirst)
}

const usual: Sort = { column: 'name', descending: false }

export function parseSort(text: string | undefined): Sort {
  return sortFrom(text, orders, usual)
}

export function formatSort(sort: Sort): string | undefined {
  return sortText(sort, usual)
}

/** Each word has to be found somewhere in the row. */
export function filterInstances(instances: readonly Instance[], query: string): readonly Instance[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return instances
  return instances.filter((instance) => {
    const text = searchText(instance)
    return words.every((word) => text.includes(word))
  })
}

// What is worked out of a row once is kept as long as the row: with ten thousand of them each key that is pressed, and
// each column that is sorted by, would else do it ten thousand times.
const searchTexts = new WeakMap<Instance, string>()
const nameKeys = new WeakMap<Instance, string>()

function searchText(instance: Instance): string {
  const known = searchTexts.get(instance)
  if (known !== undefined) return known
  const { name, project, location, type, status, profiles, addresses, image, description, architecture } = instance
  const said = [name, project, location, type, typeWord(type), status ?? 'Unknown', image, description, architecture]
  const text = [...said, ...(profiles ?? []), ...(addresses ?? [])].join('\n').toLowerCase()
  searchTexts.set(instance, text)
  return text
}

/** Names as people order them, web-2 before web-10, as a text that a plain comparison puts in that order. */
function nameKey(instance: Instance): string {
  const known = nameKeys.get(instance)
  if (known !== undefined) return known
  const key = `${natural(instance.name)}\n${instance.project}`
  nameKeys.set(instance, key)
  return key
}

function natural(text: string): string {
  return text.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(16, '0'))
}

/** What is not known comes last, whichever way it is sorted; equal rows stand by name. */
export function sortInstances(instances: readonly Instance[], { column, descending }: Sort): readonly Instance[] {
  const order = orders[column] ?? nameKey
  const sign = descending ? -1 : 1
  const keyed = instances.map((instance) => ({ instance, key: order(instance), name: nameKey(instance) }))
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null)
      return Number(a.key === null) - Number(b.key === null) || compare(a.name, b.name)
    return sign * compare(a.key, b.key) || compare(a.name, b.name)
  })
  return keyed.map(({ instance }) => instance)
}

const orders: Readonly<Record<string, (instance: Instance) => string | null>> = {
  name: nameKey,
  state: ({ status }) => status,
  type: ({ type }) => type,
  project: ({ project }) => natural(project),
  location: ({ location }) => location && natural(location),
  image: ({ image }) => image || null,
  architecture: ({ architecture }) => architecture,
  created: ({ createdAt }) => createdAt,
  lastUsed: ({ lastUsedAt }) => lastUsedAt,
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** "212 instances in 3 projects, on 5 servers." with what the filter leaves. */
export function describeList(all: readonly Instance[], shown: number): string {
  const count = shown === all.length ? plural(all.length, 'instance') : `${shown} of ${plural(all.length, 'instance')}`
  if (all.length === 0) return 'No instances.'
  const projects = new Set(all.map(({ project }) => project))
  const servers = new Set(all.flatMap(({ location }) => location ?? []))
  const [project] = projects
  const where = projects.size === 1 ? `project ${project}` : plural(projects.size, 'project')
  return servers.size === 0 ? `${count} in ${where}.` : `${count} in ${where}, on ${plural(servers.size, 'server')}.`
}
