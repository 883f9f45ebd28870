import type { IncusEvent } from '@malleus/shared/incus/event.ts'
import { withoutSecrets } from '../lib/redact.ts'
import type { Mask } from '../secrets/mask.ts'
import { isSecretKey, masked } from '../secrets/mask.ts'

// An event as it may leave the console: everything that Incus said, but what opens something. Secrets of websockets and
// join tokens are metadata of operations, under names that differ with the operation and are not all known, so of that
// metadata only what is known to be harmless keeps its value. What else there is may be named like a secret.

type Json = Readonly<Record<string, unknown>>

const mostDepth = 8
const mostItems = 100
const mostCharacters = 1_024

/** @returns a new value; the event is not changed. */
export function safeEvent(event: IncusEvent, mask: Mask): Record<string, unknown> {
  if (event.type === 'lifecycle') return safeRecord(event, mask, 0)
  const { metadata, ...rest } = event
  const { metadata: details, ...operation } = metadata
  return {
    ...safeRecord(rest, mask, 0),
    metadata: { ...safeRecord(operation, mask, 1), metadata: safeDetails(details, mask) },
  }
}

/** Known from incus `cmd/incusd/*.go`: how far it is, what came of it, and nothing that opens anything. */
const harmlessDetails = /^(.+_progress|progress|fingerprint|size|type|target|return|output|hook|entity_url)$/

function safeDetails(details: Json, mask: Mask): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details)
      .slice(0, mostItems)
      .filter(([key]) => !isDropped(key))
      .map(([key, value]) => {
        if (key === 'command') return [key, safeCommand(value, mask)]
        return [key, harmlessDetails.test(key) ? safeValue(value, mask, 3) : masked(value, mask)]
      }),
  )
}

/** Never shown, to nobody: not even that they were there. */
function isDropped(key: string): boolean {
  return key === 'fds' || key === 'secret' || /token/i.test(key)
}

function safeRecord(record: Json, mask: Mask, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .slice(0, mostItems)
      .filter(([key]) => !isDropped(key))
      .map(([key, value]) => {
        if (key === 'command') return [key, safeCommand(value, mask)]
        return [key, isSecretKey(key) ? masked(value, mask) : safeValue(value, mask, depth + 1)]
      }),
  )
}

function safeValue(value: unknown, mask: Mask, depth: number): unknown {
  if (typeof value === 'string') return safeText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= mostDepth) return '…'
  if (Array.isArray(value)) return value.slice(0, mostItems).map((item) => safeValue(item, mask, depth + 1))
  return safeRecord(Object.fromEntries(Object.entries(value)), mask, depth)
}

/** What was run is shown, what it was run with is not: passwords are given as arguments. */
function safeCommand(value: unknown, mask: Mask): unknown {
  if (!Array.isArray(value)) return masked(value, mask)
  return value
    .slice(0, mostItems)
    .map((part, at) => (at === 0 && typeof part === 'string' ? safeText(part) : masked(part, mask)))
}

function safeText(text: string): string {
  const safe = withoutSecrets(text.slice(0, 4 * mostCharacters))
  return safe.length > mostCharacters ? `${safe.slice(0, mostCharacters - 1)}…` : safe
}
