import { describe, expect, test } from 'vitest'
import { silentLogger } from './logger.ts'
import { WriteBehind } from './write-behind.ts'

function world(most = 100) {
  const written: string[][] = []
  const disk = { full: false, writing: Promise.resolve() }
  const behind = new WriteBehind<{ readonly name: string; readonly value: number }>({
    keyOf: ({ name }) => name,
    write: async (items) => {
      await disk.writing
      if (disk.full) throw new Error('the disk is full')
      written.push(items.map(({ name, value }) => `${name}${value}`))
    },
    most,
    logger: silentLogger,
    what: 'it',
  })
  return { behind, disk, written }
}

describe('what is written behind', () => {
  test('keeps nobody waiting, and what comes while a batch is written goes with the next', async () => {
    const { behind, disk, written } = world()
    const slow = Promise.withResolvers<void>()
    disk.writing = slow.promise
    behind.put({ name: 'a', value: 1 })
    const flushed = behind.flush()
    behind.put({ name: 'b', value: 1 })
    void behind.flush()
    expect(written).toEqual([])
    slow.resolve()
    await flushed
    expect(written).toEqual([['a1'], ['b1']])
    expect(behind.waiting).toEqual([])
  })

  test('is written once under each key, the latest of it, also when that came while it was written', async () => {
    const { behind, disk, written } = world()
    behind.put({ name: 'a', value: 1 })
    behind.put({ name: 'a', value: 2 })
    const slow = Promise.withResolvers<void>()
    disk.writing = slow.promise
    const flushed = behind.flush()
    behind.put({ name: 'a', value: 3 })
    slow.resolve()
    await flushed
    expect(written).toEqual([['a2'], ['a3']])
  })

  test('waits while the disk cannot take it, and is written in order when it can', async () => {
    const { behind, disk, written } = world()
    disk.full = true
    behind.put({ name: 'a', value: 1 })
    await behind.flush()
    behind.put({ name: 'b', value: 1 })
    await behind.flush()
    expect(written).toEqual([])
    disk.full = false
    await behind.flush()
    expect(written).toEqual([['a1', 'b1']])
  })

  test('does not grow without end: the oldest is given up', async () => {
    const { behind, disk, written } = world(2)
    disk.full = true
    for (const name of ['a', 'b', 'c']) behind.put({ name, value: 1 })
    await behind.flush()
    disk.full = false
    await behind.flush()
    expect(written).toEqual([['b1', 'c1']])
  })
})
