import { existsSync, readFileSync } from 'node:fs'
import { installPackages, missingPackages } from './debian-packages.ts'

/** This machine cannot carry a lab. The command ends with a status of its own for it, 69, "unavailable" in sysexits(3). */
export class MachineUnfit extends Error {
  override readonly name = 'MachineUnfit'
  readonly missing: readonly string[]

  constructor(missing: readonly string[]) {
    super(`this machine cannot run the lab: ${missing.join('; ')}`)
    this.missing = missing
  }
}

/** What about this machine the lab looks at. */
export interface Machine {
  readonly platform: string
  readonly uid: number | undefined
  readonly filesystems: string
  readonly exists: (path: string) => boolean
}

/** Installs what can be installed. Throws `MachineUnfit` when something else is missing. */
export async function prepareMachine(told: (line: string) => void): Promise<void> {
  const machine: Machine = {
    platform: process.platform,
    uid: process.getuid?.(),
    filesystems: process.platform === 'linux' ? readFileSync('/proc/filesystems', 'utf8') : '',
    exists: existsSync,
  }
  const missing = missingFrom(machine)
  if (missing.length > 0) throw new MachineUnfit(missing)
  const packages = missingPackages(machine.exists)
  if (packages.length > 0) await installPackages(packages, told)
}

/** What this machine would need, in sentences; nothing when it will do. */
export function missingFrom(machine: Machine): string[] {
  if (machine.platform !== 'linux') return [`it needs Linux, this is ${machine.platform}`]
  const missing: string[] = []
  if (machine.uid !== 0) missing.push('it needs root, to make network namespaces and mounts')
  if (!/\bcgroup2$/m.test(machine.filesystems)) missing.push('its kernel has no cgroup2')
  const packages = missingPackages(machine.exists)
  if (packages.length > 0 && !machine.exists('/usr/bin/apt-get')) {
    missing.push(`it has no apt-get to install ${packages.join(', ')} with`)
  }
  return missing
}
