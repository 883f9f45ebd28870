import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startCompanion } from './companion.ts'
import type { Run } from './measurement.ts'
import type { MemberAddress } from './member-trust.ts'

/** Starts the bare proxy in a process of its own, as the console is one; gives its port for each member. */
export async function startBareProxy(
  run: Run,
  folder: string,
  certificate: string,
  members: readonly MemberAddress[],
): Promise<ReadonlyMap<string, number>> {
  const file = join(folder, 'cluster.crt')
  await writeFile(file, certificate)
  const program = fileURLToPath(new URL('bare-proxy.ts', import.meta.url))
  const addresses = members.map(({ host, port }) => `${host}:${port}`)
  const ports = z
    .array(z.int())
    .parse(JSON.parse(await startCompanion(run, [process.execPath, program, file, ...addresses]).firstLine()))
  return new Map(members.map(({ name }, at) => [name, ports[at] ?? 0]))
}
