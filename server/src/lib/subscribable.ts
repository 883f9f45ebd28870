/** A thing that can be listened to. A listener that throws does not keep the others from hearing. */
export class Subscribable<Event> {
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #onListenerError: (error: unknown) => void

  constructor(onListenerError: (error: unknown) => void = reportLater) {
    this.#onListenerError = onListenerError
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  publish(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }

  get size(): number {
    return this.#listeners.size
  }
}

function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
