import { existsSync } from 'node:fs'
import { installPackages, missingPackages, type Program } from '../debian-packages.ts'

/** What the fronts run besides what the lab itself does. */
const programs: readonly Program[] = [
  { path: '/usr/sbin/haproxy', package: 'haproxy' },
  { path: '/usr/sbin/keepalived', package: 'keepalived' },
  { path: '/usr/lib/frr/bgpd', package: 'frr' },
  { path: '/usr/bin/curl', package: 'curl' },
]

/** Installs what is missing for the fronts, without starting any of it. */
export async function prepareFronts(told: (line: string) => void): Promise<void> {
  const missing = missingPackages(existsSync, programs)
  if (missing.length > 0) await installPackages(missing, told, programs)
}
