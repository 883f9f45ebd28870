// Which Node everything runs on.

import { existsSync } from 'node:fs'
import path from 'node:path'

import { PlainError } from './plain-error.mjs'

/** The first Node that runs TypeScript and has everything the server uses. */
const oldestMajor = 24

/**
 * The path of the pinned Node; on a platform that has no package of it, the Node that is already there if it is new
 * enough.
 *
 * @param {string} root the folder of the repository, installed
 * @throws {PlainError} when neither will do
 */
export function pinnedNode(root) {
  const packaged = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(packaged)) return packaged
  return chooseNode({
    version: process.versions.node,
    execPath: process.execPath,
    platform: `${process.platform}-${process.arch}`,
  })
}

/** Decides for a platform without a package. */
export function chooseNode({ version, execPath, platform }) {
  if (Number(version.split('.')[0]) >= oldestMajor) return execPath
  throw new PlainError(
    `Malleus runs on Node ${oldestMajor} or newer. It brings its own on Linux, but there is none for ${platform}, ` +
      `and this is Node ${version}: install Node ${oldestMajor} and start again.`,
  )
}

/** The environment for children: the pinned Node and the tools of the repository come first. */
export function toolEnvironment(root) {
  const bin = path.join(root, 'node_modules', '.bin')
  return { ...process.env, PATH: [bin, process.env.PATH].filter(Boolean).join(path.delimiter) }
}
