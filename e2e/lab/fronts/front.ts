// What all fronts have in common: programs on machines of the lab, with a folder for what they read.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../command.ts'
import { until } from '../deadline.ts'
import { memberPort } from '../member-process.ts'
import { stateOf } from '../process-identity.ts'
import type { FrontProgram, Lab } from '../running-lab.ts'

/** Where clients of a front connect to. */
export interface FrontAddress {
  readonly host: string
  readonly port: number
}

/** Writes a file for a program of a front, and gives its path. It goes with the lab. */
export function writeFrontFile(lab: Lab, machine: string, name: string, text: string): string {
  const folder = join(lab.stateDirectory, 'fronts', machine)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o644 })
  return file
}

/** Waits until a front works. Throws with the end of the log of a program that ends before. */
export async function untilReady(
  what: string,
  programs: readonly FrontProgram[],
  ready: () => Promise<boolean>,
): Promise<void> {
  await until(what, 30_000, async () => {
    const ended = programs.find(({ identity }) => stateOf(identity) === 'gone')
    if (ended !== undefined) throw new Error(`${what}: a program ended:\n${endOf(ended.log)}`)
    return (await ready()) ? true : undefined
  })
}

/** Does anybody listen on this port of a machine? Asked of its kernel. */
export async function listensOn(lab: Lab, machine: string, kind: 'tcp' | 'udp', port: number): Promise<boolean> {
  const argv = ['ss', '--listening', `--${kind}`, '--numeric', '--no-header', `sport = :${port}`]
  return (await run([...lab.enter(machine), ...argv])).trim() !== ''
}

/** Makes members answer at every address their machine has, and not only at their own. */
export async function listenEverywhere(lab: Lab): Promise<void> {
  for (const { name } of lab.members) {
    await lab.configureMember(name, { 'core.https_address': `:${memberPort}` })
  }
}

/** Sets parameters of a machine's network, as in `sysctl net.ipv4.ip_forward=1`. */
export async function setNetwork(lab: Lab, machine: string, values: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const path = `/proc/sys/net/ipv4/${name.replaceAll('.', '/')}`
    await run([...lab.enter(machine), 'sh', '-ec', 'echo "$2" > "$1"', 'sh', path, `${value}`])
  }
}

/** A question to the API of one member that gives up after a second: what each careful front bases its judgement on. */
export function askApi(host: string): string {
  return `/usr/bin/curl --silent --fail --insecure --max-time 1 --output /dev/null https://${host}:${memberPort}/1.0`
}

function endOf(log: string): string {
  return readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')
}
