import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderUnusable, makeFolder } from './make-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-folder-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a folder', () => {
  test('is made with those above it, for this user only', async () => {
    const deep = path.join(folder, 'a', 'b', 'c')
    await makeFolder(deep)
    for (const each of [deep, path.dirname(deep)]) expect((await stat(each)).mode & 0o777).toBe(0o700)
  })

  test('that is there is left as it is', async () => {
    await makeFolder(path.join(folder, 'a'))
    await makeFolder(path.join(folder, 'a'))
    expect((await stat(folder)).isDirectory()).toBe(true)
  })

  test('may be made by several at once', async () => {
    const deep = path.join(folder, 'a', 'b')
    await Promise.all(Array.from({ length: 10 }, () => makeFolder(deep)))
    expect((await stat(deep)).isDirectory()).toBe(true)
  })

  test('cannot be what is a file, nor be in one', async () => {
    const file = path.join(folder, 'file')
    await writeFile(file, '')
    await expect(makeFolder(file)).rejects.toBeInstanceOf(FolderUnusable)
    await expect(makeFolder(path.join(file, 'a'))).rejects.toThrow(
      `The folder ${file}/a cannot be made (ENOTDIR). Name another one in the configuration, or make it.`,
    )
  })

  test('that the system does not allow is told, and not tried for ever', async ({ skip }) => {
    if (process.platform !== 'linux') return skip('there is no /proc here')
    await expect(makeFolder('/proc/malleus')).rejects.toThrow('The folder /proc/malleus cannot be made (ENOENT)')
    await expect(makeFolder('/proc/malleus/var')).rejects.toBeInstanceOf(FolderUnusable)
  })
})
