import { createHash } from 'node:crypto'
import type { EventFeed } from '../events/event-feed.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'

export interface StreamRenewalOptions {
  readonly feed: () => Pick<EventFeed, 'members' | 'abandon'>
  /** Whose streams they are. */
  readonly scope: () => Scope
  readonly clock: Clock
}

const everyMs = 60_000

/**
 * Has the event streams of a person opened anew when their sign-in was renewed: Incus looks at a token when a stream is
 * opened and never again, so what the person may see would be for ever what it was then. One stream in a minute, while
 * another one hears what happens; where there is no other, it stays: each renewal would be a gap.
 */
export class StreamRenewal {
  readonly #options: StreamRenewalOptions
  /** With which token each member's stream was opened, as a hash. */
  readonly #openedWith = new Map<string, string>()
  #cancel = () => {}

  constructor(options: StreamRenewalOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel = this.#options.clock.after(everyMs, () => {
      this.start()
      void this.#renewOne()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** A stream of the member is about to be opened. Rejects when there is no token for that. */
  async opening(member: string): Promise<void> {
    const tag = await tagOf(this.#options.scope())
    if (tag !== null) this.#openedWith.set(member, tag)
  }

  async #renewOne(): Promise<void> {
    const { feed, scope } = this.#options
    // A session that has ended takes its streams with it; a provider that is away renews nothing.
    const now = await tagOf(scope()).catch(() => null)
    const { members } = feed()
    if (now === null || members.length < 2) return
    const old = members.find((member) => this.#openedWith.get(member) !== now)
    if (old !== undefined) feed().abandon(old, 'the sign-in was renewed')
  }
}

/** The token itself is kept nowhere but in its session. */
async function tagOf(scope: Scope): Promise<string | null> {
  if (scope.kind !== 'bearer') return null
  return createHash('sha256')
    .update(await scope.accessToken())
    .digest('base64url')
}
