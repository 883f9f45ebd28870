import type { ClusterEvent, EventGap } from '@malleus/shared/api/events.ts'
import { formatDuration } from '../../lib/time.ts'
import type { Tone } from '../../ui/StateMark.tsx'
import { nameOf, objectOf } from './event-source.ts'

/** What happened, in a sentence. What Incus calls otherwise keeps Incus's words. */
export function sentenceOf(event: ClusterEvent): string {
  return event.type === 'operation' ? workSentence(event) : lifecycleSentence(event)
}

/** Where `{}` stands, its object is named. Actions: incus `shared/api/event_lifecycle.go`. */
const sentences: Readonly<Record<string, string>> = {
  'certificate-created': 'Trust entry {} was added',
  'cluster-certificate-updated': 'The cluster certificate was replaced',
  'cluster-disabled': 'Clustering was switched off',
  'cluster-enabled': 'Clustering was switched on',
  'cluster-member-added': 'Server {} joined the cluster',
  'cluster-member-evacuated': 'Server {} was evacuated',
  'cluster-member-healed': 'The instances of server {} were moved, because it is offline',
  'cluster-member-removed': 'Server {} was removed from the cluster',
  'cluster-member-restored': 'Server {} was restored',
  'cluster-token-created': 'A token to join the cluster was made',
  'config-updated': 'The configuration of the servers was changed',
  'image-refreshed': 'Image {} was brought up to date',
  'image-retrieved': 'Image {} was downloaded',
  'image-secret-created': 'A secret to download image {} was made',
  'instance-agent-started': 'The agent in instance {} started',
  'instance-agent-stopped': 'The agent in instance {} stopped',
  'instance-backup-retrieved': 'Backup {} was downloaded',
  'instance-console': 'The console of instance {} was opened',
  'instance-console-reset': 'The console log of instance {} was emptied',
  'instance-console-retrieved': 'The console log of instance {} was read',
  'instance-exec': 'A command was run in instance {}',
  'instance-file-deleted': 'A file was deleted in instance {}',
  'instance-file-pushed': 'A file was written into instance {}',
  'instance-file-retrieved': 'A file was read from instance {}',
  'instance-log-deleted': 'A log of instance {} was deleted',
  'instance-log-retrieved': 'A log of instance {} was read',
  'instance-metadata-retrieved': 'The metadata of instance {} were read',
  'instance-metadata-template-created': 'A template of instance {} was written',
  'instance-metadata-template-deleted': 'A template of instance {} was deleted',
  'instance-metadata-template-retrieved': 'A template of instance {} was read',
  'instance-metadata-updated': 'The metadata of instance {} were changed',
  'instance-migrated': 'Instance {} was moved',
  'instance-paused': 'Instance {} was paused',
  'instance-ready': 'Instance {} says that it is ready',
  'instance-restarted': 'Instance {} was restarted',
  'instance-restored': 'Instance {} was set back to a snapshot',
  'instance-resumed': 'Instance {} goes on',
  'instance-shutdown': 'Instance {} was shut down',
  'instance-started': 'Instance {} was started',
  'instance-stopped': 'Instance {} was stopped',
  'operation-cancelled': 'Background work was cancelled',
  'storage-bucket-backup-retrieved': 'Backup {} was downloaded',
  'storage-volume-backup-retrieved': 'Backup {} was downloaded',
  'storage-volume-restored': 'Storage volume {} was set back to a snapshot',
  'warning-acknowledged': 'A warning was acknowledged',
  'warning-deleted': 'A warning was deleted',
  'warning-reset': 'A warning is new again',
}

/** What the rest of the actions begin with; the longest that fits counts. */
const nouns: Readonly<Record<string, string>> = {
  certificate: 'Trust entry',
  'cluster-group': 'Cluster group',
  'cluster-member': 'Server',
  image: 'Image',
  'image-alias': 'Image alias',
  instance: 'Instance',
  'instance-backup': 'Backup',
  'instance-snapshot': 'Snapshot',
  network: 'Network',
  'network-acl': 'Network ACL',
  'network-address-set': 'Address set',
  'network-forward': 'Network forward',
  'network-integration': 'Network integration',
  'network-load-balancer': 'Load balancer',
  'network-peer': 'Network peering',
  'network-zone': 'Network zone',
  'network-zone-record': 'Record',
  profile: 'Profile',
  project: 'Project',
  'storage-bucket': 'Storage bucket',
  'storage-bucket-backup': 'Backup',
  'storage-bucket-key': 'Key',
  'storage-pool': 'Storage pool',
  'storage-volume': 'Storage volume',
  'storage-volume-backup': 'Backup',
  'storage-volume-snapshot': 'Snapshot',
}

const verbs: Readonly<Record<string, string>> = {
  created: 'was created',
  deleted: 'was deleted',
  renamed: 'was renamed',
  updated: 'was changed',
}

/** Every action that has words of its own here, for whoever wants to know. */
export const wordedActions: readonly string[] = [
  ...Object.keys(sentences),
  ...Object.keys(nouns).flatMap((noun) => Object.keys(verbs).map((verb) => `${noun}-${verb}`)),
]

function lifecycleSentence({ action, source, raw }: ClusterEvent): string {
  const object = objectOf(source)
  const name = object === null ? '' : nameOf(object)
  const own = Object.hasOwn(sentences, action) ? sentences[action] : undefined
  const sentence = own ?? nounAndVerb(action)
  if (sentence === undefined) return [upperFirst(action.replaceAll('-', ' ')), name].filter(Boolean).join(': ')
  return `${sentence.replace('{}', name).replaceAll(/ {2,}/g, ' ').trim()}${formerName(raw)}`
}

function nounAndVerb(action: string): string | undefined {
  const at = action.lastIndexOf('-')
  const [noun, verb] = [action.slice(0, at), action.slice(at + 1)]
  if (!Object.hasOwn(nouns, noun) || !Object.hasOwn(verbs, verb)) return undefined
  return `${nouns[noun] ?? ''} {} ${verbs[verb] ?? ''}`
}

function formerName(raw: ClusterEvent['raw']): string {
  const former = textAt(raw, 'metadata', 'context', 'old_name')
  return former === undefined ? '' : `; it was ${former}`
}

const workWords: Readonly<Record<string, string>> = {
  'operation-created': 'was asked for',
  'operation-pending': 'waits to begin',
  'operation-running': 'runs',
  'operation-cancelling': 'is being cancelled',
  'operation-succeeded': 'is done',
  'operation-failed': 'failed',
  'operation-cancelled': 'was cancelled',
}

/** "Creating instance: is done", with how far it is or why it failed, where Incus says. */
function workSentence({ action, description, raw }: ClusterEvent): string {
  const what = description === null || description === '' ? 'Background work' : description
  const how = workWords[action] ?? 'changed'
  const detail = action === 'operation-failed' ? textAt(raw, 'metadata', 'err') : progressOf(raw)
  return detail === undefined || detail === '' ? `${what}: ${how}` : `${what}: ${how}, ${detail}`
}

function progressOf(raw: ClusterEvent['raw']): string | undefined {
  const details = valueAt(raw, 'metadata', 'metadata')
  if (typeof details !== 'object' || details === null) return undefined
  for (const [key, value] of Object.entries(details)) {
    if (key.endsWith('_progress') && typeof value === 'string') return value
  }
  return undefined
}

/** How background work stands; what was done has no state. */
export function toneOf({ type, action }: ClusterEvent): Tone | undefined {
  if (type === 'lifecycle') return undefined
  if (action === 'operation-succeeded') return 'good'
  if (action === 'operation-failed') return 'bad'
  if (action === 'operation-cancelled' || action === 'operation-cancelling') return 'warning'
  return 'info'
}

/** Incus names clients by the fingerprint of their certificate, of which the beginning is enough to know them by. */
export function whoDid({ who }: Pick<ClusterEvent, 'who'>): string {
  if (who === null) return ''
  const name = /^[0-9a-f]{64}$/.test(who.name) ? who.name.slice(0, 12) : who.name
  if (who.protocol === 'unix') return `${name}, at a server`
  return who.protocol === 'console' ? `${name}, here` : name
}

/** "Events may be missing: 12 s". */
export function gapTitle(gap: Pick<EventGap, 'from' | 'to'>): string {
  return `Events may be missing: ${formatDuration(Date.parse(gap.to) - Date.parse(gap.from))}`
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

function valueAt(value: unknown, ...[key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return valueAt(Object.entries(value).find(([name]) => name === key)?.[1], ...rest)
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
