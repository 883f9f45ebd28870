import type { ClusterEvent, EventEntry } from '@malleus/shared/api/events.ts'
import { z } from 'zod'
import { byName } from '../../lib/by-name.ts'
import { nameOf, objectOf } from './event-source.ts'
import { sentenceOf, whoDid } from './event-words.ts'

const text = z.string().optional().catch(undefined)

/** Which events the page shows, as the link says it. */
export const EventFilter = z.object({
  /** Words that have to be found somewhere in the row. */
  q: text,
  type: z.enum(['lifecycle', 'operation']).optional().catch(undefined),
  action: text,
  project: text,
  server: text,
  object: text,
  who: text,
})
export type EventFilter = z.infer<typeof EventFilter>

/** What one chooses from, beside the words that are typed. */
export const choices = ['type', 'action', 'project', 'server', 'object', 'who'] as const
export type Choice = (typeof choices)[number]

/** What fits, oldest first as it came. A gap fits always: what is missing may have been what is looked for. */
export function filterEntries<Entry extends EventEntry>(
  entries: readonly Entry[],
  filter: EventFilter,
): readonly Entry[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const asked = choices.filter((choice) => filter[choice] !== undefined)
  if (words.length === 0 && asked.length === 0) return entries
  return entries.filter(
    (entry) =>
      entry.kind === 'gap' ||
      (asked.every((choice) => valueOf(entry, choice) === filter[choice]) &&
        words.every((word) => searchText(entry).includes(word))),
  )
}

/** What there is to choose from, by name. What was chosen stays there, also when nothing has it any more. */
export function offered(entries: readonly EventEntry[], filter: EventFilter, choice: Choice): readonly string[] {
  const found = new Set<string>()
  for (const entry of entries) {
    const value = entry.kind === 'gap' ? null : valueOf(entry, choice)
    if (value !== null) found.add(value)
  }
  const chosen = filter[choice]
  if (chosen !== undefined) found.add(chosen)
  return [...found].toSorted(byName)
}

/** Null where the event has none. */
export function valueOf(event: ClusterEvent, choice: Choice): string | null {
  switch (choice) {
    case 'type':
      return event.type
    case 'action':
      return event.action
    case 'project':
      return event.project
    case 'server':
      return event.location
    case 'object':
      return event.type === 'operation' ? null : objectName(event)
    case 'who':
      return event.who?.name ?? null
  }
}

function objectName({ source }: ClusterEvent): string | null {
  const object = objectOf(source)
  return object === null ? null : nameOf(object)
}

// Worked out once for each event: with thousands of them each key that is pressed would else do it again.
const searchTexts = new WeakMap<ClusterEvent, string>()

function searchText(event: ClusterEvent): string {
  const known = searchTexts.get(event)
  if (known !== undefined) return known
  const { type, action, source, project, location } = event
  const all = [sentenceOf(event), whoDid(event), event.who?.name, type, action, source, project, location]
  const made = all
    .filter((part) => typeof part === 'string')
    .join('\n')
    .toLowerCase()
  searchTexts.set(event, made)
  return made
}
