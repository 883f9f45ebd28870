import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { MerkleTree } from './merkle.ts'

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** RFC 6962, 2.1, word by word. */
function rootOf(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return sha256(Buffer.from([0]), Buffer.from(leaves[0]!))
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)))
}

describe('a Merkle tree', () => {
  test('has the root that RFC 6962 gives, for every number of leaves', () => {
    const tree = new MerkleTree()
    const leaves: string[] = []
    expect(tree.root).toBe(rootOf([]).toString('hex'))
    for (let index = 0; index < 70; index += 1) {
      leaves.push(`leaf ${index}`)
      tree.set(index, `leaf ${index}`)
      expect(tree.root, `${index + 1} leaves`).toBe(rootOf(leaves).toString('hex'))
    }
  })

  test('has the root of the new leaves when one is replaced', () => {
    const tree = new MerkleTree()
    const leaves = Array.from({ length: 13 }, (_, index) => `leaf ${index}`)
    leaves.forEach((leaf, index) => tree.set(index, leaf))
    for (let index = 0; index < 13; index += 1) {
      leaves[index] = `other ${index}`
      tree.set(index, `other ${index}`)
      expect(tree.root, `leaf ${index} replaced`).toBe(rootOf(leaves).toString('hex'))
    }
  })

  test('has no leaf beyond the next one', () => {
    expect(() => new MerkleTree().set(1, 'leaf')).toThrow(RangeError)
  })
})
