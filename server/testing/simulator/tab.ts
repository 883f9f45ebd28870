import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { LiveStream } from '../../src/live/live-channel.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'
import { Pipe } from './connection.ts'
import type { Referee } from './referee.ts'
import type { SimulatedConsole } from './simulated-console.ts'
import type { Trace } from './trace.ts'

export interface TabOptions {
  readonly name: string
  readonly clock: Clock
  readonly chance: Chance
  readonly trace: Trace
  readonly referee: Referee
  /** The console as it is now; null while there is none. */
  readonly console: () => SimulatedConsole | null
  /** Everything that this console has told its listeners, in order. */
  readonly told: (console: SimulatedConsole) => readonly LiveEvent[]
}

interface Message {
  readonly id?: string
  readonly event: string
  readonly data: unknown
}

/** Sent to those who are there, and never again. */
const unnumbered: ReadonlySet<string> = new Set(['heartbeat', 'answers-measured', 'resync', 'goaway'])

/**
 * One tab of a browser that follows. Its connection breaks now and then, and it goes on from the last event it has; it
 * knows the whole list of what it has to hear, and compares.
 */
export class Tab {
  readonly #options: TabOptions
  #lastEventId: string | null = null
  /** Which of the events told comes next; null until a stream has begun. */
  #next: { readonly console: SimulatedConsole; position: number } | null = null
  #current: { readonly down: Pipe; readonly drop: () => void } | null = null

  constructor(options: TabOptions) {
    this.#options = options
  }

  connect(): void {
    const { chance, clock, console: present } = this.#options
    const console = present()
    if (console === null || console.isDead) {
      clock.after(chance.between(50, 400), () => this.connect())
      return
    }
    const down = new Pipe(
      clock,
      () => chance.waiting(3),
      () => false,
    )
    let noticed: () => void = () => {}
    const closed = new Promise<void>((resolve) => (noticed = resolve))
    // The console notices some time later that nobody reads any more.
    const drop = (): void => {
      down.cut = true
      clock.after(chance.between(0, 2_000), noticed)
    }
    this.#current = { down, drop }
    const stream: LiveStream = {
      send: (message) => {
        const { length } = this.#options.told(console)
        down.send(() => this.#receive(console, message, length))
      },
      close: () => down.send(noticed),
      closed,
    }
    this.#options.trace.note(
      `${this.#options.name} follows after ${this.#lastEventId === null ? 'nothing' : 'an event'}`,
    )
    console.openLive(stream, this.#lastEventId)
    void console.gone.then(() => {
      if (this.#current?.down === down) this.break()
    })
  }

  /** What is under way is lost, and the tab connects again. */
  break(): void {
    const { chance, clock, name, trace } = this.#options
    if (this.#current === null) return
    trace.note(`${name} is cut off`)
    this.#current.drop()
    this.#current = null
    clock.after(chance.oneOf([0, chance.between(1, 50), chance.between(50, 1_500)]), () => this.connect())
  }

  /** Whether it has heard everything up to now. */
  get isUpToDate(): boolean {
    const { console, told } = this.#options
    const present = console()
    return present !== null && this.#next?.console === present && this.#next.position === told(present).length
  }

  #receive(console: SimulatedConsole, message: Message, toldByThen: number): void {
    const { name, referee, told } = this.#options
    if (message.id !== undefined) this.#lastEventId = message.id
    if (message.event === 'resync') {
      this.#next = { console, position: toldByThen }
      return
    }
    if (unnumbered.has(message.event)) return
    const next = this.#next
    if (next?.console !== console) {
      referee.broken(`${name} heard "${message.event}" of a stream that did not begin with resync`)
      return
    }
    const expected = told(console)[next.position]
    next.position += 1
    if (expected !== undefined && isSame(expected, message)) return
    referee.broken(`${name} heard "${message.event}" where "${expected?.kind ?? 'nothing'}" was due`)
  }
}

function isSame(expected: LiveEvent, { event, data }: Message): boolean {
  const { kind, ...rest } = expected
  return kind === event && JSON.stringify(rest) === JSON.stringify(data)
}
