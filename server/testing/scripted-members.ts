import type { Reachable } from '../src/gateway/dial.ts'
import type { Attempt, AttemptObserver } from '../src/gateway/hedge.ts'
import type { MemberFailure } from '../src/gateway/member-error.ts'
import { MemberError } from '../src/gateway/member-error.ts'
import type { Clock } from '../src/lib/clock.ts'

/** What a member does with an attempt. Times are milliseconds from its beginning. */
export interface Script {
  /** When the connection stands and the first byte is written; default at once; null for never. */
  readonly connects?: number | null
  /** When it answers; null for never. */
  readonly answers?: number | null
  /** When it fails instead, and how. `sent` follows from whether the connection stood by then. */
  readonly fails?: { readonly at: number } & Partial<Omit<MemberFailure, 'member' | 'sent'>>
}

/** What happened, as lines such as `0 begin server1`, `12 cancel server2`. */
export type Diary = string[]

/** Members that follow a script on the given clock: a transport without sockets. */
export class ScriptedMembers {
  readonly diary: Diary = []
  readonly observer: AttemptObserver
  /** Requests that reached a member, by name. */
  readonly executed: string[] = []
  readonly #clock: Clock
  readonly #scripts: Readonly<Record<string, Script>>
  readonly #startedAt: number
  #inFlight = 0
  mostInFlight = 0

  constructor(clock: Clock, scripts: Readonly<Record<string, Script>>) {
    this.#clock = clock
    this.#scripts = scripts
    this.#startedAt = clock.monotonic()
    this.observer = {
      answered: (member, ms) => this.#note(`saw answer of ${member} after ${Math.round(ms)}`),
      failed: (member, error) => this.#note(`saw ${error.kind} of ${member}`),
      silent: (member, ms) => this.#note(`saw silence of ${member} for ${Math.round(ms)}`),
    }
  }

  get members(): readonly Reachable[] {
    return Object.keys(this.#scripts).map((name) => ({ name, endpoint: { host: '10.0.0.1', port: 8443 } }))
  }

  readonly begin = ({ name }: Reachable): Attempt<string> => {
    this.#note(`begin ${name}`)
    const { connects = 0, answers = null, fails } = this.#scripts[name] ?? {}
    const clock = this.#clock
    let sentAt: number | null = null
    let over = false
    let settle: { resolve: (value: string) => void; reject: (error: MemberError) => void } | undefined
    const result = new Promise<string>((resolve, reject) => (settle = { resolve, reject }))
    this.#inFlight += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight)
    const end = (act: () => void): void => {
      if (over) return
      over = true
      this.#inFlight -= 1
      act()
    }
    const connect = (): void => {
      if (over) return
      sentAt = clock.monotonic()
      this.executed.push(name)
    }
    if (connects === 0) connect()
    else if (connects !== null) clock.after(connects, connect)
    if (fails !== undefined) {
      const { at, kind = 'reset', phase, message = 'scripted', ...more } = fails
      const fail = (): void => {
        const sent = sentAt !== null
        const error = {
          kind,
          message,
          member: name,
          phase: phase ?? (sent ? 'answer' : 'connect'),
          sent,
          ...more,
        } as const
        end(() => settle?.reject(new MemberError(error)))
      }
      clock.after(at, fail)
    } else if (answers !== null) {
      clock.after(answers, () => end(() => settle?.resolve(`answer of ${name}`)))
    }
    return {
      result,
      get sentAt() {
        return sentAt
      },
      cancel: () =>
        end(() => {
          this.#note(`cancel ${name}`)
          const cancelled = { kind: 'cancelled', member: name, phase: 'answer', message: 'cancelled' } as const
          settle?.reject(new MemberError({ ...cancelled, sent: sentAt !== null }))
        }),
    }
  }

  #note(what: string): void {
    this.diary.push(`${Math.round(this.#clock.monotonic() - this.#startedAt)} ${what}`)
  }
}
