import { createHash } from 'node:crypto'

/**
 * A Merkle tree as RFC 6962 (2.1) builds it, whose leaves can be replaced: the root changes with any of them, and a new
 * one costs as many hashes as the tree is high.
 */
export class MerkleTree {
  /** From the leaves up; each level has half as many as the one below, and an odd one out goes up as it is. */
  readonly #levels: Buffer[][] = [[]]

  get size(): number {
    return this.#levels[0]?.length ?? 0
  }

  /** Sets a leaf, or adds one behind the last. */
  set(index: number, leaf: string): void {
    if (index < 0 || index > this.size) throw new RangeError(`there is no leaf ${index} in a tree of ${this.size}`)
    this.#put(0, index, sha256(Buffer.from([0]), Buffer.from(leaf)))
    for (let level = 0, at = index; (this.#levels[level]?.length ?? 0) > 1; level += 1) {
      at = Math.floor(at / 2)
      this.#put(level + 1, at, this.#parent(level, at))
    }
  }

  /** In lower-case hexadecimal; of no leaves, the hash of nothing. */
  get root(): string {
    return (this.#levels.at(-1)?.[0] ?? sha256()).toString('hex')
  }

  #parent(level: number, at: number): Buffer {
    const [left, right] = this.#levels[level]?.slice(2 * at, 2 * at + 2) ?? []
    if (left === undefined) throw new RangeError('a node has at least one child')
    return right === undefined ? left : sha256(Buffer.from([1]), left, right)
  }

  #put(level: number, at: number, node: Buffer): void {
    const nodes = (this.#levels[level] ??= [])
    nodes[at] = node
  }
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
