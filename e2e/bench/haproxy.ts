import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { haproxyConfiguration } from '../lab/fronts/haproxy.ts'
import { freePort } from '../support/free-port.ts'
import { startCompanion } from './companion.ts'
import type { Run } from './measurement.ts'
import type { MemberAddress } from './member-trust.ts'

/** Starts haproxy in TCP mode over the members, with health checks that ask each member's API; gives its port on 127.0.0.1. */
export async function startHaproxy(run: Run, folder: string, members: readonly MemberAddress[]): Promise<number> {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, haproxyConfiguration([{ bind: `127.0.0.1:${port}`, check: 'http' }], members))
  await startCompanion(run, ['haproxy', '-db', '-f', file]).listensOn(port)
  return port
}
