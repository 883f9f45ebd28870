// `npm run demo`: an identity provider, a cluster and the console on this machine, to look at and to break. With
// `--real`, the cluster is a real Incus cluster in network namespaces (Linux, root).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startConsole } from '../support/console.ts'
import { freePort } from '../support/free-port.ts'
import { startRealWorld } from '../support/real-world.ts'
import type { StandInWorld } from '../support/stand-in-world.ts'
import { startStandInWorld } from '../support/stand-in-world.ts'
import type { ConsoleAddress, World } from '../support/world.ts'
import { consoleAddress, people } from '../support/world.ts'
import type { DemoOptions } from './demo-options.ts'
import { parseDemoOptions, usage } from './demo-options.ts'
import { startDemoPaths } from './demo-paths.ts'
import { readFaultCommands } from './fault-commands.ts'
import { startFaultPanel } from './fault-panel.ts'

async function demo(options: DemoOptions): Promise<void> {
  const ending = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.resolve())

  const endings: (() => Promise<unknown>)[] = []
  try {
    const folder = await mkdtemp(join(tmpdir(), 'malleus-demo-'))
    endings.push(() => rm(folder, { recursive: true, force: true }))
    await Promise.race([start(options, folder, endings), ending.promise.then(() => Promise.reject(new Interrupted()))])
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

async function start(options: DemoOptions, folder: string, endings: (() => Promise<unknown>)[]): Promise<void> {
  const port = await freePort(8480)
  const { publicUrl } = options
  const address = publicUrl === null ? consoleAddress(port) : consoleAddress(Number(new URL(publicUrl).port))
  const world = await startWorld(options, address)
  endings.push(() => world.close())
  const clusterSettings = isStandIn(world) ? await startDemoPaths(world, endings) : []
  const settings = nobodyBalances
  const running = await startConsole({ folder, world, address, cluster: 'demo', port, settings, clusterSettings })
  endings.push(() => running.stop())
  const panel = await startFaultPanel(world, await freePort(8482))
  endings.push(() => panel.close())
  const commands = readFaultCommands(world, say)
  endings.push(async () => commands.close())
  say(introduction(running.url, panel.url, world))
}

/** There is nobody to notice that it stops, so it need not wait for them. */
const nobodyBalances = 'limits: { drainGraceMs: 0 }'

function isStandIn(world: World): world is StandInWorld {
  return 'cluster' in world
}

function startWorld({ real, members }: DemoOptions, address: ConsoleAddress): Promise<World> {
  return real ? startRealWorld({ address, name: 'demo', members, say }) : startStandInWorld({ address, members })
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

const asked = parseDemoOptions(process.argv.slice(2))
if (asked === 'help') say(usage)
else if ('mistake' in asked) {
  say(`${asked.mistake}\n\n${usage}`)
  process.exitCode = 2
} else await demo(asked)
