import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, test } from 'vitest'

import { commands } from './commands.mjs'

test('every script of package.json starts the command of its name, and every command has a script', async () => {
  const { scripts } = JSON.parse(await readFile(path.resolve(import.meta.dirname, '../package.json'), 'utf8'))
  const line = (name) => `exec "\${npm_node_execpath:-node}" tools/run.mjs ${name}`
  expect(scripts).toEqual(Object.fromEntries(Object.keys(commands).map((name) => [name, line(name)])))
})
