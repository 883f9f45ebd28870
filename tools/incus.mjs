// Whether this machine can be the home of a real Incus cluster.

import { existsSync } from 'node:fs'

/** The reason why not, as a sentence; nothing when it can. The lab installs Incus itself. */
export function whyNoIncus() {
  if (process.platform !== 'linux') return 'a real Incus cluster needs Linux'
  if (process.getuid() !== 0) return 'a real Incus cluster in network namespaces needs root'
  if (existsSync('/usr/libexec/incus/incusd') || existsSync('/usr/bin/apt-get')) return undefined
  return 'Incus is not installed, and this is not a Debian on which it could be (packages incus-base and incus-client)'
}
