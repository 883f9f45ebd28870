import type { IncusEvent } from '@malleus/shared/incus/event.ts'

const keptForMs = 5 * 60_000
const keptAtMost = 20_000

/**
 * Remembers the events of the last minutes by their keys, so that one heard from two members, or twice from one (Incus 6.0.4 that
 * listens on all interfaces subscribes to itself), is told once.
 */
export class SeenEvents {
  readonly #seenAt = new Map<string, number>()

  has(key: string): boolean {
    return this.#seenAt.has(key)
  }

  /** Whether it is heard for the first time; remembers it. */
  isNew(key: string, now: number): boolean {
    if (this.#seenAt.has(key)) return false
    this.#seenAt.set(key, now)
    this.#forget(now)
    return true
  }

  /** A map keeps the order of insertion, so the oldest are at its beginning. */
  #forget(now: number): void {
    for (const [key, at] of this.#seenAt) {
      if (now - at < keptForMs && this.#seenAt.size <= keptAtMost) return
      this.#seenAt.delete(key)
    }
  }
}

/** The same event has the same key on every member's stream: its time is set, to the nanosecond, where it happened. */
export function eventKey(event: IncusEvent): string {
  const what =
    event.type === 'lifecycle'
      ? [event.metadata.action, event.metadata.source]
      : [event.metadata.id, event.metadata.status_code, event.metadata.updated_at]
  return JSON.stringify([event.type, event.timestamp, event.location, ...what])
}
