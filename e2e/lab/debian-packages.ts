// Installs what the lab is made of, from the machine's own Debian archive, without starting any of it.

import { existsSync, readFileSync } from 'node:fs'
import { chmod, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import { deriveEntry, type SourcesFile } from './debian-sources.ts'

/** A program, and the package it comes in. */
export interface Program {
  readonly path: string
  readonly package: string
}

/** What the lab runs. */
const programs: readonly Program[] = [
  { path: '/usr/libexec/incus/incusd', package: 'incus-base' },
  { path: '/usr/bin/incus', package: 'incus-client' },
  { path: '/usr/sbin/dnsmasq', package: 'dnsmasq-base' },
  { path: '/usr/sbin/nft', package: 'nftables' },
  { path: '/bin/busybox', package: 'busybox-static' },
  { path: '/usr/bin/newuidmap', package: 'uidmap' },
  { path: '/usr/bin/ip', package: 'iproute2' },
]

/** The packages of programs that are not on this machine. */
export function missingPackages(
  exists: (path: string) => boolean = existsSync,
  wanted: readonly Program[] = programs,
): string[] {
  return wanted.filter((program) => !exists(program.path)).map((program) => program.package)
}

/** Installs packages, from the backports suite where the release itself does not have them. No service is started. `wanted` are the programs they are installed for. */
export async function installPackages(
  packages: readonly string[],
  told: (line: string) => void,
  wanted: readonly Program[] = programs,
): Promise<void> {
  const added = await addBackportsWhenNeeded(packages)
  try {
    told(`installing ${packages.join(' ')}`)
    await withoutServices(() =>
      apt(['install', '--yes', '--no-install-recommends', ...(added?.arguments ?? []), ...packages]),
    )
  } finally {
    if (added !== undefined) await rm(added.file)
  }
  const still = missingPackages(existsSync, wanted).filter((name) => packages.includes(name))
  if (still.length > 0)
    throw new Error(
      `the packages ${still.join(' ')} were installed, but their programs are not where they are expected`,
    )
}

async function addBackportsWhenNeeded(
  packages: readonly string[],
): Promise<{ file: string; arguments: string[] } | undefined> {
  await apt(['update'])
  if (await allAvailable(packages)) return undefined
  const codename = /^VERSION_CODENAME="?(\w+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
  const suite = `${codename}-backports`
  const entry = deriveEntry(await readSources(), codename, suite)
  if (entry === undefined) {
    throw new Error(
      `this machine's Debian archive has no ${packages.join(', ')}, and no entry for ${codename} to derive ${suite} from`,
    )
  }
  const file = `${sourcesFolder}/malleus-lab.${entry.extension}`
  await writeFile(file, entry.text)
  await apt(['update'])
  if (await allAvailable(packages)) return { file, arguments: ['--target-release', suite] }
  await rm(file)
  throw new Error(`neither this machine's Debian archive nor ${suite} has all of ${packages.join(', ')}`)
}

const sourcesFolder = '/etc/apt/sources.list.d'

async function readSources(): Promise<SourcesFile[]> {
  const names = (await readdir(sourcesFolder))
    .filter((name) => /\.(sources|list)$/.test(name))
    .map((name) => join(sourcesFolder, name))
  const paths = ['/etc/apt/sources.list', ...names].filter((path) => existsSync(path))
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })))
}

async function allAvailable(packages: readonly string[]): Promise<boolean> {
  const [first, ...rest] = packages
  if (first === undefined) return true
  const policy = await run(['apt-cache', 'policy', first, ...rest], { timeoutMs: 120_000 })
  const candidates = [...policy.matchAll(/^ {2}Candidate: (.+)$/gm)].map((match) => match[1])
  return candidates.length === packages.length && !candidates.includes('(none)')
}

/** While this file says 101, packages do not start their services: see invoke-rc.d(8). A file that is there already is kept aside. */
async function withoutServices(install: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d'
  const aside = `${policy}.before-malleus-lab`
  // One that was kept aside by an interrupted run is the machine's own; the other is ours.
  if (existsSync(policy) && !existsSync(aside)) await rename(policy, aside)
  try {
    await writeFile(policy, '#!/bin/sh\nexit 101\n')
    await chmod(policy, 0o755)
    await install()
  } finally {
    await rm(policy, { force: true })
    if (existsSync(aside)) await rename(aside, policy)
  }
}

async function apt(argv: readonly string[]): Promise<void> {
  await run(['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', ...argv], {
    timeoutMs: 900_000,
    environment: {
      ...aptEnvironment(),
      DEBIAN_FRONTEND: 'noninteractive',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    },
  })
}

/** apt reaches its archive through the proxy of the environment, where there is one. */
function aptEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => /^(https?|no|all)_proxy$/i.test(name))
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
