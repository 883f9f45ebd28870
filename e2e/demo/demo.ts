// `npm run demo`: an identity provider, a cluster and the console on this machine, to look at and to break. With
// `--real`, the cluster is a real Incus cluster in network namespaces (Linux, root).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startConsole } from '../support/console.ts'
import { freePort } from '../support/free-port.ts'
import { startRealWorld } from '../support/real-world.ts'
import { startStandInWorld } from '../support/stand-in-world.ts'
import type { World } from '../support/world.ts'
import { consoleAddress, people } from '../support/world.ts'
import { readFaultCommands } from './fault-commands.ts'
import { startFaultPanel } from './fault-panel.ts'

const { values: options } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    members: { type: 'string' },
    /** Where the pages come from when they are served by something else, as in development. */
    'public-url': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function demo(): Promise<void> {
  const ending = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.resolve())

  const endings: (() => Promise<unknown>)[] = []
  try {
    const folder = await mkdtemp(join(tmpdir(), 'malleus-demo-'))
    endings.push(() => rm(folder, { recursive: true, force: true }))
    await Promise.race([start(folder, endings), ending.promise.then(() => Promise.reject(new Interrupted()))])
    await ending.promise
    say('\nEnding …')
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      say(error instanceof Error ? error.message : String(error))
      process.exitCode = 1
    }
  } finally {
    for (const end of endings.toReversed()) await end()
  }
  process.exit()
}

async function start(folder: string, endings: (() => Promise<unknown>)[]): Promise<void> {
  const port = await freePort(8480)
  const publicUrl = options['public-url']
  const address = publicUrl === undefined ? consoleAddress(port) : consoleAddress(Number(new URL(publicUrl).port))
  const world = await startWorld(address)
  endings.push(() => world.close())
  const running = await startConsole({ folder, world, address, cluster: 'demo', port })
  endings.push(() => running.stop())
  const panel = await startFaultPanel(world, await freePort(8482))
  endings.push(() => panel.close())
  const commands = readFaultCommands(world, say)
  endings.push(async () => commands.close())
  say(introduction(running.url, panel.url, world))
}

function startWorld(address: ReturnType<typeof consoleAddress>): Promise<World> {
  const members = options.members === undefined ? undefined : Number(options.members)
  return options.real
    ? startRealWorld({ address, name: 'demo', members: members ?? 3, say })
    : startStandInWorld({ address, members: members ?? 5 })
}

function introduction(url: string, panelUrl: string, world: World): string {
  const rows = people.map(({ name, role }) => `    ${name.padEnd(14)} ${role}`)
  return `
  Malleus is at   ${url}
  with ${world.description}.

  Sign in as
${rows.join('\n')}

  Break a server at ${panelUrl}, or type here:
    break ${world.members.at(-1)} stuck      mend ${world.members.at(-1)}

  Ctrl-C ends everything and leaves nothing behind.
`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

if (options.help) {
  say('npm run demo [-- --real] [-- --members N]')
  say('Starts an identity provider, a cluster and the console on this machine. Ctrl-C ends it and leaves nothing.')
} else {
  await demo()
}
