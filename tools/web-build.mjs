// Builds the web application when its sources are newer than what was built.

import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import { capture } from './child.mjs'
import { PlainError } from './plain-error.mjs'

/** Everything the build reads, relative to the root. */
const sources = [
  'web/src',
  'web/public',
  'web/index.html',
  'web/vite.config.ts',
  'web/package.json',
  'shared/src',
  'pnpm-lock.yaml',
]

/** @throws {PlainError} with what the build said, when it failed */
export async function ensureWebBuilt({ root, node, env }) {
  const built = path.join(root, 'web/dist/index.html')
  if (
    existsSync(built) &&
    !(await isOlder(
      built,
      sources.map((source) => path.join(root, source)),
    ))
  )
    return
  console.error('Building the web application …')
  const vite = path.join(root, 'web/node_modules/vite/bin/vite.js')
  const { code, output } = await capture(node, [vite, 'build', '--logLevel', 'warn'], {
    cwd: path.join(root, 'web'),
    env,
  })
  if (code !== 0) throw new PlainError(`The web application could not be built.\n${output}`)
}

/** Whether anything in `places` changed after `file`. */
export async function isOlder(file, places) {
  const { mtimeMs } = await stat(file)
  return anyNewer(places, mtimeMs)
}

async function anyNewer(places, than) {
  for (const place of places) {
    const info = await stat(place).catch(() => undefined)
    if (!info) continue
    // A folder's own time changes when something in it is added, renamed or removed.
    if (info.mtimeMs > than) return true
    if (!info.isDirectory()) continue
    const names = await readdir(place)
    if (
      await anyNewer(
        names.map((name) => path.join(place, name)),
        than,
      )
    )
      return true
  }
  return false
}
