import type { Random } from '../../src/lib/random.ts'
import { Seeded } from '../seeded.ts'

/** Chance of one part of the world. Parts have their own, so that what one draws does not change what others get. */
export class Chance implements Random {
  readonly #seeded: Seeded

  constructor(seed: number, part: string) {
    let mixed = seed >>> 0
    for (const character of part) mixed = (Math.imul(mixed, 31) + (character.codePointAt(0) ?? 0)) >>> 0
    this.#seeded = new Seeded(mixed)
  }

  fraction(): number {
    return this.#seeded.fraction()
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#seeded.below(256)))
  }

  uuid(): string {
    const hex = this.bytes(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  chance(share: number): boolean {
    return this.#seeded.chance(share)
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.#seeded.fraction()
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + this.#seeded.below(most - least + 1)
  }

  oneOf<Value>(values: readonly Value[]): Value {
    return this.#seeded.oneOf(values)
  }

  /** A waiting time of that mean: mostly short, now and then long. */
  waiting(meanMs: number): number {
    return -Math.log(1 - this.#seeded.fraction()) * meanMs
  }
}
