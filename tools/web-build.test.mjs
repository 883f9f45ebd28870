import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { isOlder } from './web-build.mjs'

let folder
const at = (...names) => path.join(folder, ...names)

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-web-build-'))
  await mkdir(at('src/deep'), { recursive: true })
  for (const file of ['src/deep/page.tsx', 'built.html']) await writeFile(at(file), '')
  for (const place of ['src/deep/page.tsx', 'src/deep', 'src']) await utimes(at(place), 1000, 1000)
  await utimes(at('built.html'), 2000, 2000)
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('what was built', () => {
  test('is kept while nothing changed, whether or not every place exists', async () => {
    expect(await isOlder(at('built.html'), [at('src'), at('absent')])).toBe(false)
  })

  test('is older than a file changed deep inside', async () => {
    await utimes(at('src/deep/page.tsx'), 3000, 3000)
    expect(await isOlder(at('built.html'), [at('src')])).toBe(true)
  })

  test('is older than a folder from which a file was removed', async () => {
    await rm(at('src/deep/page.tsx'))
    expect(await isOlder(at('built.html'), [at('src')])).toBe(true)
  })
})
