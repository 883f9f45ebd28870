import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withClusterSettings } from './cluster-settings.ts'
import { freePort } from './free-port.ts'
import type { ConsoleAddress, World } from './world.ts'

// The console as an administrator installs it: configured in a folder of its own, made known to the cluster by a trust
// token through the command line, started as a process.

export interface ConsoleOptions {
  /** Everything it writes is below this folder: configuration, identity, database, log. */
  readonly folder: string
  readonly world: World
  readonly address: ConsoleAddress
  /** Name of the cluster. */
  readonly cluster: string
  /** Port it listens on when the public address is another one, as behind a proxy. */
  readonly port?: number
  /** Further lines of the configuration file, as YAML. */
  readonly settings?: string
  /** Further settings of the cluster, as lines of YAML. */
  readonly clusterSettings?: readonly string[]
  /** What stands before its command line, as to run it where names lead elsewhere. */
  readonly within?: readonly string[]
  /** Options for its Node, as to profile it. */
  readonly nodeFlags?: readonly string[]
}

export interface Console {
  readonly url: string
  readonly managementUrl: string
  readonly logFile: string
  readonly pid: number
  /** Ends it as an administrator would, by SIGTERM; gives its exit status. */
  stop(): Promise<number | null>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const nodeFlags = [
  '--disable-proto=delete',
  '--disallow-code-generation-from-strings',
  '--disable-warning=ExperimentalWarning',
]

/** Writes the configuration, redeems a trust token, and starts the console; resolves when it answers. */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { folder, world } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const management = await freePort()
  const config = join(folder, 'malleus.yaml')
  await writeFile(join(folder, 'client-secret'), world.provider.clientSecret, { mode: 0o600 })
  if (world.provider.ca !== undefined) await writeFile(join(folder, 'provider-ca.pem'), world.provider.ca)
  await writeFile(config, configuration(options, management, ''))
  const clusters = await addCluster(config, options)
  const whole = configuration(options, management, clusters)
  await writeFile(config, withClusterSettings(whole, options.clusterSettings ?? []))
  return runConsole(options, config, management)
}

/** Starts the console again from the configuration that is already there. */
export async function runConsole(options: ConsoleOptions, config: string, management: number): Promise<Console> {
  const logFile = join(options.folder, 'console.log')
  const log = createWriteStream(logFile, { flags: 'a' })
  const flags = [...nodeFlags, ...(options.nodeFlags ?? [])]
  const [program, ...args] = [
    ...(options.within ?? []),
    process.execPath,
    ...flags,
    join(root, 'server/src/main.ts'),
    '--config',
    config,
  ]
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C at a terminal reaches the whole group; the console is ended by whoever started it, once.
    detached: true,
  })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null)
  const managementUrl = `http://127.0.0.1:${management}`
  await untilReady(managementUrl, child, logFile)
  return {
    url: options.address.url,
    managementUrl,
    logFile,
    pid: child.pid ?? 0,
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

function configuration(
  { world, address, port, settings }: ConsoleOptions,
  management: number,
  clusters: string,
): string {
  const { provider } = world
  const listen = port ?? Number(new URL(address.url).port)
  return `publicUrl: ${address.url}
listen: 127.0.0.1:${listen}
management: 127.0.0.1:${management}
storage: sqlite:./var
keys: { file: keys }
oidc:
  issuer: ${provider.issuer}
  clientId: ${provider.clientId}
  clientSecret: { file: client-secret }
  audience: ${provider.audience}
${provider.ca === undefined ? '' : '  ca: provider-ca.pem\n'}roles:
  admin: { groups: [incus-admins] }
  operator: { groups: [incus-operators] }
  viewer: { groups: [staff] }
  auditor: { groups: [audit] }
${settings ?? ''}
${clusters === '' ? '' : `clusters:\n${clusters}`}`
}

/** `malleus add-cluster` with a token on its standard input; gives the YAML it prints. */
async function addCluster(config: string, { cluster, world }: ConsoleOptions): Promise<string> {
  const args = [join(root, 'server/src/cli/malleus.ts'), 'add-cluster', '--name', cluster, '--config', config]
  const child = spawn(process.execPath, [...nodeFlags, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  let [output, complaint] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  child.stdin.end(`${await world.trustToken('malleus')}\n`)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`"malleus add-cluster" ended with status ${code}: ${complaint.trim()}`)
  return output
}

async function untilReady(managementUrl: string, child: ChildProcess, logFile: string): Promise<void> {
  for (let tries = 0; tries < 900; tries++) {
    if (child.exitCode !== null) throw new Error(`the console ended at its start: ${await endOf(logFile)}`)
    const ready = await fetch(`${managementUrl}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGTERM')
  throw new Error(`the console was not ready within 45 s: ${await endOf(logFile)}`)
}

/** The folder may be gone before anybody can look. */
async function endOf(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).slice(-4_096)
}
