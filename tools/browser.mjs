// The browser of the stories: the system's Chromium, from Debian's packages where it is missing.

import { existsSync } from 'node:fs'

import { capture } from './child.mjs'

/** Where Debian puts it; another one can be named. */
export function chromiumPath(env) {
  return env.MALLEUS_CHROMIUM ?? '/usr/bin/chromium'
}

/** The reason why there is no Chromium, as a sentence; nothing when there is one, or when it could be installed. */
export async function whyNoChromium({ env }) {
  if (existsSync(chromiumPath(env))) return undefined
  const missing = `there is no Chromium at ${chromiumPath(env)} (MALLEUS_CHROMIUM names another one)`
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return missing
  console.log('Installing Chromium …')
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  await capture('apt-get', ['update', '-q'], quiet)
  const { code, output } = await capture('apt-get', ['install', '-qy', '--no-install-recommends', 'chromium'], quiet)
  return code === 0 ? undefined : `${missing}, and apt-get could not install it:\n${output.trimEnd()}`
}
