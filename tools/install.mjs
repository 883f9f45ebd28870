// Installs what the lockfile says, when what is installed is not that. A warm start costs one hash of a few small files.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { PlainError } from './plain-error.mjs'

const run = promisify(execFile)

/** What decides which packages are installed, relative to the root. */
const inputs = [
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'package.json',
  ...['shared', 'server', 'web', 'e2e'].map((name) => `${name}/package.json`),
]

/**
 * Makes `node_modules` what `pnpm-lock.yaml` says; does nothing when it is so already.
 *
 * @param {string} root the folder of the repository
 * @param {(line: string) => void} say where to tell a person that this takes a moment
 * @throws {PlainError} when packages cannot be fetched, are not what was pinned, or do not match the lockfile
 */
export async function ensureInstalled(root, say) {
  const marker = path.join(root, 'node_modules', '.malleus-installed')
  const wanted = await fingerprint(root)
  if (existsSync(marker) && (await readFile(marker, 'utf8')) === wanted) return
  say('Installing packages …')
  const folder = await mkdtemp(path.join(tmpdir(), 'malleus-pnpm-'))
  try {
    const pnpm = await fetchPinnedPnpm(root, folder)
    await install(root, pnpm)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await writeFile(marker, wanted)
}

async function fingerprint(root) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`)
  for (const input of inputs) hash.update(await readFile(path.join(root, input)))
  return hash.digest('hex')
}

/** Fetches pnpm and compares it with the hash in package.json: what runs next may run anything. */
async function fetchPinnedPnpm(root, folder) {
  const { packageManager } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  const { version, sha512 } = parsePin(packageManager)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  try {
    // In the temporary folder, where npm finds no workspace and no engines to have an opinion on.
    await run(npm, ['pack', `pnpm@${version}`, '--silent'], { cwd: folder })
  } catch (cause) {
    throw new PlainError(`pnpm ${version} could not be fetched from the package registry.\n${outputOf(cause)}`, {
      cause,
    })
  }
  const archive = path.join(folder, `pnpm-${version}.tgz`)
  const found = createHash('sha512')
    .update(await readFile(archive))
    .digest('hex')
  if (found !== sha512) throw new PlainError(`The registry's pnpm ${version} is not the one pinned in package.json.`)
  await run('tar', ['-xzf', archive, '-C', folder])
  return path.join(folder, 'package', 'bin', 'pnpm.cjs')
}

/** `pnpm@10.34.9+sha512.…`, as corepack reads it. */
export function parsePin(packageManager) {
  const match = /^pnpm@(\d+\.\d+\.\d+)\+sha512\.([0-9a-f]{128})$/.exec(packageManager ?? '')
  if (!match) throw new PlainError('package.json does not pin pnpm with a version and a sha512.')
  return { version: match[1], sha512: match[2] }
}

async function install(root, pnpm) {
  // `CI` makes pnpm replace what it must without asking: nobody is there to answer.
  const env = { ...process.env, CI: 'true' }
  try {
    await run(process.execPath, [pnpm, 'install', '--frozen-lockfile'], { cwd: root, env, maxBuffer: 1 << 26 })
  } catch (cause) {
    throw new PlainError(`The packages could not be installed.\n${outputOf(cause)}`, { cause })
  }
}

function outputOf(error) {
  return [error.stdout, error.stderr].filter(Boolean).join('\n').trim() || error.message
}
