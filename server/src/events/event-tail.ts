import type { ClusterEvent, EventEntry } from '@malleus/shared/api/events.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { listEvents } from '@malleus/shared/api/events.ts'
import type { IncusEvent } from '@malleus/shared/incus/event.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { EventFeed, FeedFact } from './event-feed.ts'
import type { Mask } from '../secrets/mask.ts'
import { safeEvent } from './safe-event.ts'

export type EventList = ReplyOf<typeof listEvents>

export interface EventTailOptions {
  readonly feed: Pick<EventFeed, 'subscribe' | 'listening' | 'members' | 'deafSince'>
  /** Whether those whose view it is may know of what happens in a project; the empty name is the cluster. */
  readonly isVisible: (project: string) => boolean
  /** Who began an operation through this console. */
  readonly starter: (operation: string) => { readonly name: string } | null
  readonly mask: Mask
  /** Unique, and without a hyphen: positions of another tail are never mistaken for those of this one. */
  readonly epoch: string
  readonly clock: Clock
}

const keptAtMost = 1_000
const keptBytes = 2_097_152
/** A storm of events is told of four times a second. */
const tellEveryMs = 250

interface Kept {
  readonly entry: EventEntry
  readonly bytes: number
}

/**
 * The last events of one authority's view of a cluster, and the gaps between them, for a page that shows them as they
 * come. Who subscribes is told that there is something new, not what.
 */
export class EventTail extends Subscribable<void> {
  readonly #options: EventTailOptions
  #since: string
  /** Whether any member was ever listened to: before that nothing was heard, and nothing is missing. */
  #hasListened = false
  readonly #ends: readonly (() => void)[]
  #kept: Kept[] = []
  #bytes = 0
  #seq = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #willTell = false

  constructor(options: EventTailOptions) {
    super()
    this.#options = options
    this.#since = instant(options.clock.now())
    this.#ends = [
      options.feed.subscribe((fact) => this.#hear(fact)),
      options.feed.listening.subscribe(() => {
        this.#hasListened ||= options.feed.members.length > 0
        this.#tell()
      }),
    ]
  }

  stop(): void {
    for (const end of this.#ends) end()
  }

  /**
   * What came after a position, or all that is kept where that cannot be said exactly.
   *
   * @param seesWho whether whoever asks may know who did what, and from where
   */
  list(after: string | undefined, seesWho: boolean): EventList {
    const { feed } = this.#options
    const seq = after === undefined ? null : this.#seqOf(after)
    const oldest = this.#kept[0]?.entry.seq ?? this.#seq + 1
    const continues = seq !== null && seq <= this.#seq && seq + 1 >= oldest
    const entries = this.#kept.map(({ entry }) => entry).filter((entry) => !continues || entry.seq > seq)
    return {
      position: `${this.#options.epoch}-${this.#seq}`,
      continues,
      entries: seesWho ? entries : entries.map(withoutWho),
      since: this.#since,
      listening: [...feed.members],
      deafSince: feed.deafSince === null ? null : instant(feed.deafSince),
    }
  }

  #hear(fact: FeedFact): void {
    if (fact.kind === 'gap' && !this.#hasListened) this.#since = instant(fact.to)
    else if (fact.kind === 'gap') {
      this.#keep({ kind: 'gap', seq: 0, from: instant(fact.from), to: instant(fact.to), reason: fact.reason })
    } else if (this.#options.isVisible(fact.event.project)) this.#keep(this.#entryOf(fact.event, fact.at))
  }

  #entryOf(event: IncusEvent, heardAt: number): ClusterEvent {
    const { timestamp, location, project } = event
    const happened = Date.parse(timestamp)
    return {
      kind: 'event',
      seq: 0,
      type: event.type,
      at: instant(Number.isNaN(happened) ? heardAt : happened),
      heardAt: instant(heardAt),
      location: location === '' || location === 'none' ? null : location,
      project: project === '' ? null : project,
      ...whatOf(event, this.#options.starter),
      raw: safeEvent(event, this.#options.mask),
    }
  }

  #keep(entry: EventEntry): void {
    this.#seq += 1
    const numbered = { ...entry, seq: this.#seq }
    const bytes = JSON.stringify(numbered).length
    this.#kept.push({ entry: numbered, bytes })
    this.#bytes += bytes
    while (this.#kept.length > keptAtMost || (this.#bytes > keptBytes && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0
    }
    this.#tell()
  }

  /** At once, and then at most four times a second: what comes meanwhile is told at the end. */
  #tell(): void {
    if (this.#willTell) return
    const { clock } = this.#options
    const waitMs = this.#toldAt + tellEveryMs - clock.monotonic()
    const tell = (): void => {
      this.#willTell = false
      this.#toldAt = clock.monotonic()
      this.publish()
    }
    if (waitMs <= 0) {
      tell()
      return
    }
    this.#willTell = true
    clock.after(waitMs, tell)
  }

  #seqOf(position: string): number | null {
    const match = /^([^-]+)-(\d{1,15})$/.exec(position)
    return match?.[1] === this.#options.epoch ? Number(match[2]) : null
  }
}

type What = Pick<ClusterEvent, 'action' | 'source' | 'description' | 'who'>

function whatOf(event: IncusEvent, starter: EventTailOptions['starter']): What {
  if (event.type === 'lifecycle') {
    const { action, source, requestor } = event.metadata
    const isNamed = requestor !== null && requestor !== undefined && requestor.username !== ''
    return {
      action,
      source,
      description: null,
      who: isNamed ? { name: requestor.username, protocol: requestor.protocol } : null,
    }
  }
  const { id, description, status_code } = event.metadata
  const begun = starter(id)
  return {
    action: `operation-${operationStates.get(status_code) ?? 'changed'}`,
    source: `/1.0/operations/${id}`,
    description,
    who: begun === null ? null : { name: begun.name, protocol: 'console' },
  }
}

/** incus `shared/api/status_code.go` */
const operationStates: ReadonlyMap<number, string> = new Map([
  [100, 'created'],
  [103, 'running'],
  [104, 'cancelling'],
  [105, 'pending'],
  [200, 'succeeded'],
  [400, 'failed'],
  [401, 'cancelled'],
])

/** Who did it, and from where, is in the access history, for those who may read that. */
function withoutWho(entry: EventEntry): EventEntry {
  if (entry.kind === 'gap') return entry
  const { metadata, ...raw } = entry.raw
  if (typeof metadata !== 'object' || metadata === null) return { ...entry, who: null }
  const { requestor: _, ...rest } = { requestor: null, ...metadata }
  return { ...entry, who: null, raw: { ...raw, metadata: rest } }
}
