import { parseArgs } from 'node:util'
import { configFile, loadConfig } from '../config.ts'
import { describeMistakes } from '../config/mistake.ts'
import { version } from '../config/version.ts'
import { systemClock } from '../lib/clock.ts'
import { systemRandom } from '../lib/random.ts'
import { addCluster } from './add-cluster.ts'
import { exportAudit, pruneAudit, verifyAudit } from './audit.ts'
import { CliError, exitCodes } from './cli-error.ts'
import type { FrontOrder } from './front.ts'
import { frontOf } from './front.ts'
import type { Terminal } from './terminal.ts'

const help = `Malleus, a highly available web console for Incus clusters.

  malleus start [--config FILE]
      Runs the console.
  malleus check-config [--config FILE]
      Checks the configuration whole and lists every mistake.
  malleus add-cluster --name NAME [--config FILE] [--mode bearer|certificate]
      Makes the console known to a cluster. Asks for a trust token, or reads it from standard input; make one on any
      server of the cluster with: incus config trust add malleus
      Writes NAME.crt and NAME.key beside the configuration and prints what to add to it.
  malleus front KIND --cluster NAME [--address ADDRESS] [--router ADDRESS] [--config FILE]
      Prints the configuration of what can stand in front of a cluster, for the servers it has now, with the settings of
      Incus that it needs. ADDRESS is what clients use; --router is for those that announce it. KIND is one of haproxy,
      haproxy-tls, nginx, keepalived, frr-vrrp, frr-bgp, bird-bgp, dns.
  malleus audit verify [--against FILE] [--config FILE]
      Checks every record of the access history and all that was signed of it, and names the first bad record and what
      was done to it. FILE is what a sink has kept, or an export beside its manifest.
  malleus audit export --out FILE [--format ndjson|csv] [--cluster NAME] [--since DATE] [--before DATE] [--config FILE]
      Writes records to FILE, and to FILE.manifest.json what was written, signed.
  malleus audit prune --before DATE [--source console|incus] [--config FILE]
      Removes older records under a signed tombstone, so that the rest still holds.
  malleus --help | --version

The configuration is --config FILE, else MALLEUS_CONFIG, else malleus.yaml in the working directory.

Exit status: 0 done; 1 failed; 2 not understood, or mistakes in the configuration. Of add-cluster also: 3 not a trust
token; 4 the token has expired; 5 no address of the token answers; 6 what answers presents another certificate; 7 the
token was refused; 8 the cluster does not trust the console afterwards; 9 a file cannot be written.
Of audit also: 9; 10 the access history, or FILE, is not what was written.
`

/** Runs one command; gives the exit status and never throws. */
export async function runMalleus(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(args, terminal)
  } catch (error) {
    if (error instanceof CliError) {
      terminal.err(`malleus: ${error.message}\n`)
      return error.exitCode
    }
    terminal.err(`malleus: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return exitCodes.failed
  }
}

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parse(args)
  if (values.help === true) {
    terminal.out(help)
    return exitCodes.done
  }
  if (values.version === true) {
    terminal.out(`${version()}\n`)
    return exitCodes.done
  }
  const [command, ...rest] = positionals
  const kind = command === 'front' || command === 'audit' ? rest.shift() : undefined
  if (rest.length > 0) throw misunderstood(tooMuch(command, rest))
  const file = configFile(values.config, terminal.environment)
  switch (command) {
    case 'start':
      return terminal.start(file)
    case 'check-config':
      return checkConfig(file, terminal)
    case 'add-cluster':
      if (values.name === undefined) throw misunderstood('add-cluster needs --name NAME.')
      return add(values.name, modeOf(values.mode), file, terminal)
    case 'front':
      return front({ kind, cluster: values.cluster, address: values.address, router: values.router }, file, terminal)
    case 'audit':
      return audit(kind, values, file, terminal)
    case undefined:
      throw misunderstood('A command is missing.')
    default:
      throw misunderstood(`There is no command "${command}".`)
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        name: { type: 'string' },
        mode: { type: 'string' },
        cluster: { type: 'string' },
        address: { type: 'string' },
        router: { type: 'string' },
        against: { type: 'string' },
        out: { type: 'string' },
        format: { type: 'string' },
        since: { type: 'string' },
        before: { type: 'string' },
        source: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // What Node goes on with, how to begin a positional with a hyphen, helps nobody here.
    throw misunderstood(message.replace(/\. To specify .*$/s, '.'))
  }
}

async function audit(
  what: string | undefined,
  values: ReturnType<typeof parse>['values'],
  file: string,
  { out, err, environment }: Terminal,
): Promise<number> {
  const loaded = loadConfig({ file, environment })
  if (!loaded.ok) {
    err(describeMistakes(file, loaded.mistakes))
    return exitCodes.usage
  }
  const world = { clock: systemClock, random: systemRandom, tell: (sentence: string) => err(`${sentence}\n`) }
  const { config } = loaded
  switch (what) {
    case 'verify':
      out(await verifyAudit(config, values.against, world))
      return exitCodes.done
    case 'export': {
      if (values.out === undefined) throw misunderstood('audit export needs --out FILE.')
      const format = oneOf('--format', values.format ?? 'ndjson', ['ndjson', 'csv'])
      const span = { since: dateOf('--since', values.since), before: dateOf('--before', values.before) }
      out(await exportAudit(config, { format, out: values.out, cluster: values.cluster, ...span }, world))
      return exitCodes.done
    }
    case 'prune': {
      const before = dateOf('--before', values.before)
      if (before === undefined) throw misunderstood('audit prune needs --before DATE.')
      const source = values.source === undefined ? null : oneOf('--source', values.source, ['console', 'incus'])
      out(await pruneAudit(config, { before, source }, world))
      return exitCodes.done
    }
    default:
      throw misunderstood('audit is followed by verify, export or prune.')
  }
}

function oneOf<const Word extends string>(option: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given)
  if (found === undefined) throw misunderstood(`${option} is ${words.join(' or ')}, not "${given}".`)
  return found
}

function dateOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at))
    throw misunderstood(`${option} is a date such as 2026-01-31 or 2026-01-31T12:00:00Z, not "${text}".`)
  return at
}

function checkConfig(file: string, { out, err, environment }: Terminal): number {
  const loaded = loadConfig({ file, environment })
  if (!loaded.ok) {
    err(describeMistakes(file, loaded.mistakes))
    return exitCodes.usage
  }
  for (const warning of loaded.warnings) err(`${warning}\n`)
  out(`${file} has no mistakes.\n`)
  return exitCodes.done
}

async function add(
  name: string,
  mode: 'bearer' | 'certificate' | undefined,
  file: string,
  { out, err, readToken }: Terminal,
): Promise<number> {
  const token = await readToken()
  const world = { clock: systemClock, random: systemRandom, tell: (sentence: string) => err(`${sentence}\n`) }
  out(await addCluster({ token, name, configFile: file, ...(mode !== undefined && { mode }) }, world))
  return exitCodes.done
}

async function front(order: FrontOrder, file: string, { out, err, environment }: Terminal): Promise<number> {
  const loaded = loadConfig({ file, environment })
  if (!loaded.ok) {
    err(describeMistakes(file, loaded.mistakes))
    return exitCodes.usage
  }
  out(await frontOf(order, loaded.config, { clock: systemClock, tell: (sentence) => err(`${sentence}\n`) }))
  return exitCodes.done
}

function modeOf(text: string | undefined): 'bearer' | 'certificate' | undefined {
  if (text === undefined || text === 'bearer' || text === 'certificate') return text
  throw misunderstood(`--mode is bearer or certificate, not "${text}".`)
}

/** What follows add-cluster may be a token; said again, it would be in logs and on screens too. */
function tooMuch(command: string | undefined, rest: readonly string[]): string {
  return command === 'add-cluster'
    ? 'add-cluster asks for the token, or reads it from standard input. As an argument everybody on this machine ' +
        'could read it: if it was one, withdraw it and make a new one.'
    : `"${rest.join(' ')}" is too much.`
}

function misunderstood(sentence: string): CliError {
  return new CliError(exitCodes.usage, `${sentence} See malleus --help.`)
}
