// One name with the address of every member behind it, in an order that turns with each question.

import { run } from '../command.ts'
import type { Lab } from '../running-lab.ts'
import { listensOn, untilReady, writeFrontFile } from './front.ts'

/** Starts the name server on a machine of the lab. */
export async function startDns(lab: Lab, machine: string, name: string): Promise<void> {
  const hosts = writeFrontFile(
    lab,
    machine,
    'hosts',
    hostsFile(
      name,
      lab.members.map(({ address }) => address),
    ),
  )
  // dnsmasq turns the answers of one name by itself: there is nothing to say about it.
  const options = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file']
  const program = lab.start(machine, ['dnsmasq', ...options, '--user=root', `--addn-hosts=${hosts}`])
  await untilReady('the name server', [program], () => listensOn(lab, machine, 'udp', 53))
}

/** Makes every program on a machine of the lab ask this name server, and nobody else. */
export async function resolveThrough(lab: Lab, machine: string, server: string): Promise<void> {
  const file = writeFrontFile(lab, machine, 'resolv.conf', `nameserver ${server}\noptions timeout:1 attempts:2\n`)
  await run([...lab.enter(machine), 'mount', '--bind', file, '/etc/resolv.conf'])
}

/** Pure: a line for each address. */
export function hostsFile(name: string, addresses: readonly string[]): string {
  return addresses.map((address) => `${address} ${name}\n`).join('')
}
