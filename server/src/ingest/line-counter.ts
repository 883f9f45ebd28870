import type { Clock } from '../lib/clock.ts'
import { networkOf } from '../lib/network-of.ts'
import type { AccessLine } from './access-line.ts'
import { isRead } from './own-requests.ts'

/**
 * Of equal lines in a minute, the first is told at once and the count of the rest when the minute is over. Changes are
 * each told. Whoever asks for very many different things in a minute is told of without what they asked for, and
 * strangers from very many addresses without their address, so that a minute has an end.
 */
export class LineCounter {
  readonly #clock: Clock
  readonly #tell: (line: AccessLine, count: number) => void
  readonly #minutes = new Map<string, { line: AccessLine; more: number; readonly cancel: () => void }>()
  /** How many different things each one asked for in their minute. */
  readonly #kinds = new Map<string, number>()

  constructor(clock: Clock, tell: (line: AccessLine, count: number) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  take(line: AccessLine): void {
    if (line.kind === 'handled' && !isRead(line.method)) {
      this.#tell(line, 1)
      return
    }
    const who = whoOf(line)
    const many = (this.#kinds.get(who) ?? 0) >= mostKinds
    if (this.#count(`${who} ${whatOf(line)}`, line)) return
    if (many) this.#first(`${who} …`, withoutWhat(line), null)
    else if (line.user === null && this.#strangers >= mostStrangers) this.#first('…', withoutWhere(line), null)
    else this.#first(`${who} ${whatOf(line)}`, line, who)
  }

  /** Tells what was counted, before the minutes are over. */
  flush(): void {
    for (const key of this.#minutes.keys()) this.#end(key)
  }

  get #strangers(): number {
    return [...this.#kinds.keys()].filter((who) => who.startsWith('nobody ')).length
  }

  #count(key: string, line: AccessLine): boolean {
    const minute = this.#minutes.get(key)
    if (minute === undefined) return false
    minute.line = line
    minute.more += 1
    return true
  }

  #first(key: string, line: AccessLine, who: string | null): void {
    if (this.#count(key, line)) return
    const cancel = this.#clock.after(minuteMs, () => {
      this.#end(key)
      if (who !== null) this.#forget(who)
    })
    this.#minutes.set(key, { line, more: 0, cancel })
    if (who !== null) this.#kinds.set(who, (this.#kinds.get(who) ?? 0) + 1)
    this.#tell(line, 1)
  }

  #forget(who: string): void {
    const kinds = (this.#kinds.get(who) ?? 0) - 1
    if (kinds > 0) this.#kinds.set(who, kinds)
    else this.#kinds.delete(who)
  }

  #end(key: string): void {
    const minute = this.#minutes.get(key)
    if (minute === undefined) return
    minute.cancel()
    this.#minutes.delete(key)
    if (minute.more > 0) this.#tell(minute.line, minute.more)
  }
}

function whoOf({ user, address, member }: AccessLine): string {
  if (user === null) return `nobody ${networkOf(address ?? '')} ${member}`
  return JSON.stringify([user.protocol, user.name, address, member])
}

function whatOf({ kind, method, asked }: AccessLine): string {
  return JSON.stringify([kind, method, asked?.route, asked?.object, asked?.project])
}

function withoutWhat(line: AccessLine): AccessLine {
  return { ...line, method: line.kind === 'handled' ? 'GET' : null, asked: null }
}

function withoutWhere(line: AccessLine): AccessLine {
  return { ...withoutWhat(line), address: null }
}

const minuteMs = 60_000
/** Different things that one identity asks for from one address in one minute, before they are told of together. */
const mostKinds = 100
/** Addresses of people nobody knows in one minute, before they are told of together. */
const mostStrangers = 200
