import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeysUnusable, loadKeys, tagOf } from './keys.ts'
import { systemRandom as random } from './random.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-keys-'))
  file = path.join(folder, 'secrets', 'keys')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the key file', () => {
  test('is made at the first start, private, and is the same at the next', async () => {
    const first = await loadKeys(file, { create: true, random })
    const second = await loadKeys(file, { create: false, random })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(second.server).toEqual(first.server)
    expect(second.hmac).toEqual(first.hmac)
    expect(second.signing.equals(first.signing)).toBe(true)
    expect(first.server).toHaveLength(32)
    expect(first.server.equals(first.hmac)).toBe(false)
  })

  test('is one file however many starts make it at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => loadKeys(file, { create: true, random })))
    expect(new Set(all.map(({ server }) => server.toString('hex'))).size).toBe(1)
    expect(await readdir(path.dirname(file))).toEqual(['keys'])
  })

  test('is not made where it has to be given', async () => {
    await expect(loadKeys(file, { create: false, random })).rejects.toThrow('All replicas need the same one')
  })

  test('is refused when others can read it', async () => {
    await loadKeys(file, { create: true, random })
    await chmod(file, 0o640)
    await expect(loadKeys(file, { create: true, random })).rejects.toThrow('can be read by others')
  })

  test.each([
    ['', 'is not JSON'],
    ['secret-that-is-not-json', 'is not JSON'],
    ['{}', 'cannot be used'],
    ['{"v":1,"server":"c2hvcnQ","hmac":"c2hvcnQ","signing":""}', 'cannot be used'],
  ])('is refused when it holds %j, without repeating it', async (text, sentence) => {
    await loadKeys(file, { create: true, random })
    await writeFile(file, text)
    const refused = loadKeys(file, { create: true, random })
    await expect(refused).rejects.toBeInstanceOf(KeysUnusable)
    await expect(refused).rejects.toThrow(sentence)
    await expect(refused).rejects.not.toThrow('secret-that-is-not-json')
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})

describe('a tag', () => {
  const key = Buffer.alloc(32, 1)

  test('is the same for the same parts and differs for any others', () => {
    const tags = [
      tagOf(key, 'identity', 'a', 'bc'),
      tagOf(key, 'identity', 'ab', 'c'),
      tagOf(key, 'session', 'a', 'bc'),
      tagOf(Buffer.alloc(32, 2), 'identity', 'a', 'bc'),
    ].map((tag) => tag.toString('hex'))
    expect(new Set(tags).size).toBe(4)
    expect(tagOf(key, 'identity', 'a', 'bc').toString('hex')).toBe(tags[0])
  })
})
