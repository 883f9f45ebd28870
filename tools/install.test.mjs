import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { parsePin } from './install.mjs'
import { chooseNode } from './node-runtime.mjs'

const root = path.resolve(import.meta.dirname, '..')

describe('the pin of pnpm', () => {
  test('in package.json has a version and a hash', async () => {
    const { packageManager } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
    expect(parsePin(packageManager)).toEqual({
      version: expect.any(String),
      sha512: expect.stringMatching(/^[0-9a-f]{128}$/),
    })
  })

  test.each([undefined, 'pnpm@10.34.9', 'pnpm@latest+sha512.00', 'npm@10.0.0+sha512.00'])('%s is refused', (pin) => {
    expect(() => parsePin(pin)).toThrow('does not pin pnpm')
  })
})

describe('on a platform without a package of Node', () => {
  const there = { execPath: '/usr/local/bin/node', platform: 'darwin-arm64' }

  test.each(['24.0.0', '24.21.0', '26.1.0'])('a Node %s that is already there is used', (version) => {
    expect(chooseNode({ ...there, version })).toBe('/usr/local/bin/node')
  })

  test.each(['20.20.2', '22.19.0'])('a Node %s is asked to be replaced', (version) => {
    expect(() => chooseNode({ ...there, version })).toThrow(`this is Node ${version}: install Node 24`)
  })
})
