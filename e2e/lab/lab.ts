// npm run lab -- up|down|status|break|mend|cli

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { faultDescriptions } from './faults.ts'
import { prepareAcme, startAcme } from './fronts/acme.ts'
import { MachineUnfit } from './machine.ts'
import { removeLab } from './remove-lab.ts'
import type { Lab, LabStatus } from './running-lab.ts'
import { openLab, startLab } from './start-lab.ts'
import { faultNames } from './state-directory.ts'

const usage = `Usage: npm run lab -- COMMAND [OPTIONS]

A real Incus cluster on this machine, each member in a network namespace of its own.

  up [--members N] [--provider http|https|none] [--console URL]... [--offline-threshold SECONDS] [--acme]
                          start it, or what is missing of it (1 to 25 members, default 3); with --acme,
                          an ACME authority beside a new one, and a domain that leads to its servers
  status [--json]         its members, what is broken, and what the cluster says
  break SERVER FAULT      break a member:
${faultNames.map((fault) => `                            ${fault.padEnd(18)} ${faultDescriptions[fault]}`).join('\n')}
  mend SERVER             undo that
  cli -- ARGUMENTS        run the incus client on the first unbroken member
  down                    end and remove everything

  --name NAME             labs of different names run beside each other (default: lab)
  --state DIRECTORY       where it lives (default: /run/malleus-lab/NAME)

Ends with status 0 when done, 1 when it failed, 2 when it was asked wrongly, 69 when this machine cannot run it.
`

class UsageError extends Error {}

const Settings = z.object({
  name: z.string().default('lab'),
  state: z.string().exactOptional(),
  members: z.coerce.number().int().min(1).max(25).exactOptional(),
  provider: z.enum(['http', 'https', 'none']).exactOptional(),
  console: z.array(z.url()).exactOptional(),
  'offline-threshold': z.coerce.number().int().min(11).exactOptional(),
  acme: z.boolean().default(false),
  json: z.boolean().default(false),
  help: z.boolean().default(false),
})
type Settings = z.infer<typeof Settings>

const commands = new Map<string, (settings: Settings, words: readonly string[]) => Promise<number>>([
  ['up', up],
  ['down', down],
  ['status', status],
  ['break', breakServer],
  ['mend', mend],
  ['cli', cli],
])

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  try {
    const { settings, words } = read(argv)
    const [command, ...rest] = words
    if (settings.help) return say(usage)
    const carryOut = commands.get(command ?? '')
    if (carryOut === undefined)
      throw new UsageError(command === undefined ? 'what shall the lab do?' : `there is no command ${command}`)
    return await carryOut(settings, rest)
  } catch (error) {
    if (error instanceof UsageError) return complain(`${error.message}\n\n${usage}`, 2)
    if (error instanceof MachineUnfit) return complain(error.message, 69)
    return complain(error instanceof Error ? error.message : String(error), 1)
  }
}

async function up(settings: Settings): Promise<number> {
  const begun = performance.now()
  const { members, provider, console: consoleUrls, 'offline-threshold': offlineThresholdSeconds } = settings
  const lab = await startLab({
    ...where(settings),
    ...(members === undefined ? {} : { members }),
    ...(provider === undefined ? {} : { provider }),
    ...(consoleUrls === undefined ? {} : { consoleUrls }),
    ...(offlineThresholdSeconds === undefined ? {} : { offlineThresholdSeconds }),
    told: (line) => process.stderr.write(`${line}\n`),
  })
  const acme = settings.acme ? await startAuthority(lab) : ''
  const took = ((performance.now() - begun) / 1000).toFixed(1)
  return say(`${describe(await lab.status())}${acme}\nReady after ${took} s.\n`)
}

async function startAuthority(lab: Lab): Promise<string> {
  await prepareAcme((line) => process.stderr.write(`${line}\n`))
  const { directory, domain } = await startAcme(lab, 'acme', await lab.addNeighbour('acme', 9), 'incus.lab.test')
  return `Authority    ${directory} for ${domain}\n`
}

async function down(settings: Settings): Promise<number> {
  const begun = performance.now()
  const removed = await removeLab(where(settings))
  const took = ((performance.now() - begun) / 1000).toFixed(1)
  return say(removed ? `The lab ${settings.name} is gone, after ${took} s.\n` : `There is no lab ${settings.name}.\n`)
}

async function status(settings: Settings): Promise<number> {
  const report = await (await theLab(settings)).status()
  return say(settings.json ? `${JSON.stringify(report, undefined, 2)}\n` : describe(report))
}

async function breakServer(settings: Settings, [server, word]: readonly string[]): Promise<number> {
  const fault = faultNames.find((name) => name === word)
  if (server === undefined || fault === undefined)
    throw new UsageError(`break which server, and how? ${faultNames.join(', ')}`)
  await (await theLab(settings)).break(server, fault)
  return say(`${server} is ${fault}: ${faultDescriptions[fault]}.\n`)
}

async function mend(settings: Settings, [server]: readonly string[]): Promise<number> {
  if (server === undefined) throw new UsageError('mend which server?')
  await (await theLab(settings)).mend(server)
  return say(`${server} answers.\n`)
}

async function cli(settings: Settings, words: readonly string[]): Promise<number> {
  const environment = { ...(await (await theLab(settings)).clientEnvironment()), TERM: process.env['TERM'] ?? 'dumb' }
  const client = spawn('incus', words, { stdio: 'inherit', env: environment })
  return await new Promise((resolve, reject) => {
    client.on('error', reject)
    client.on('close', (code) => resolve(code ?? 1))
  })
}

async function theLab(settings: Settings): Promise<Lab> {
  const lab = await openLab(where(settings))
  if (lab === undefined) throw new Error(`there is no lab ${settings.name}; start it with: npm run lab -- up`)
  return lab
}

function where({ name, state }: Settings): { name: string; stateDirectory?: string } {
  return state === undefined ? { name } : { name, stateDirectory: state }
}

function describe(status: LabStatus): string {
  const rows = status.members.map(({ name, address, port, pid, process: state, fault, brokenAt, reported }) => [
    name,
    `https://${address}:${port}`,
    `${pid}`,
    state,
    fault === undefined ? '' : `${fault} since ${brokenAt?.slice(11, 19)}`,
    reported?.status ?? '?',
    reported?.roles.includes('database-leader') === true ? 'leader' : '',
    reported?.message ?? '',
  ])
  const { provider } = status
  return [
    table([['SERVER', 'ADDRESS', 'PID', 'PROCESS', 'FAULT', 'REPORTED', 'DATABASE', 'MESSAGE'], ...rows]),
    `Certificate  ${status.fingerprint}`,
    `Provider     ${provider === undefined ? 'none' : `${provider.issuer}${provider.answers ? '' : ' (does not answer)'}`}`,
    `State        ${status.stateDirectory}${status.via === undefined ? ' (no member answers)' : ''}`,
    '',
  ].join('\n')
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function read(argv: readonly string[]): { settings: Settings; words: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        state: { type: 'string' },
        members: { type: 'string' },
        provider: { type: 'string' },
        console: { type: 'string', multiple: true },
        'offline-threshold': { type: 'string' },
        acme: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return { settings: Settings.parse(values), words: positionals }
  } catch (error) {
    if (error instanceof z.ZodError) throw new UsageError(z.prettifyError(error))
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function complain(text: string, status: number): number {
  process.stderr.write(`${text}\n`)
  return status
}
