import { existsSync } from 'node:fs'
import { installPackages, missingPackages, type Program } from '../debian-packages.ts'

/** What the fronts run besides what the lab itself does. */
const programs: readonly Program[] = [
  { path: '/usr/sbin/haproxy', package: 'haproxy' },
  { path: '/usr/sbin/keepalived', package: 'keepalived' },
  { path: '/usr/lib/frr/bgpd', package: 'frr' },
  { path: '/usr/bin/curl', package: 'curl' },
]

/** Installs what is missing for the fronts, or for those that need these packages alone, without starting any of it. */
export async function prepareFronts(told: (line: string) => void, packages?: readonly string[]): Promise<void> {
  const wanted = programs.filter((program) => packages?.includes(program.package) ?? true)
  const missing = missingPackages(existsSync, wanted)
  if (missing.length > 0) await installPackages(missing, told, programs)
}
