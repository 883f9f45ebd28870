import type { Clock } from '../../src/lib/clock.ts'

const kept = 80

/** What happened, step by step: all of it as a hash, the last of it to be read. */
export class Trace {
  readonly #clock: Clock
  readonly #whole: boolean
  #lines: string[] = []
  #high = 0x811c_9dc5
  #low = 0x1234_5678
  #count = 0

  /** @param whole keeps every line, for one seed that somebody looks at. */
  constructor(clock: Clock, whole = false) {
    this.#clock = clock
    this.#whole = whole
  }

  note(what: string): void {
    const line = `${this.#clock.monotonic().toFixed(2)} ${what}`
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at)
      this.#high = Math.imul(this.#high ^ code, 0x0100_0193)
      this.#low = Math.imul(this.#low ^ code, 0x5bd1_e995)
    }
    this.#count += 1
    this.#lines.push(line)
    if (!this.#whole && this.#lines.length > 2 * kept) this.#lines = this.#lines.slice(-kept)
  }

  /** The same for two runs in which the same happened in the same order. */
  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0')
  }

  get count(): number {
    return this.#count
  }

  last(count = this.#whole ? this.#lines.length : kept): readonly string[] {
    return this.#lines.slice(-count)
  }
}
