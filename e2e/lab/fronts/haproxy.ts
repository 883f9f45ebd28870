// haproxy over the members, passing connections through as they are, with either kind of check.

import { createConnection } from 'node:net'
import { memberPort } from '../member-process.ts'
import type { Lab } from '../running-lab.ts'
import { untilReady, writeFrontFile, type FrontAddress } from './front.ts'

/** How haproxy finds out that a member is ill: by whether it accepts connections, or by whether its API answers. */
export type Check = 'tcp' | 'http'

export interface ProxyEntrance {
  readonly bind: string
  readonly check: Check
}

export interface ProxiedMember {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** haproxy on a machine of the lab, with an entrance for each kind of check. */
export class Haproxy {
  readonly entrances: Readonly<Record<Check, FrontAddress>>
  readonly #control: string

  /** Use `startHaproxy`. */
  constructor(entrances: Readonly<Record<Check, FrontAddress>>, control: string) {
    this.entrances = entrances
    this.#control = control
  }

  /** Does it hold every member for well, with both kinds of check? */
  async allUp(): Promise<boolean> {
    const states = serverStates(await askOnce(this.#control, 'show stat\n').catch(() => ''))
    return states.length > 0 && states.every((state) => state === 'UP')
  }
}

export async function startHaproxy(lab: Lab, machine: string, address: string): Promise<Haproxy> {
  const entrances = { tcp: { host: address, port: memberPort }, http: { host: address, port: memberPort + 1 } }
  const members = lab.members.map(({ name, address: host, port }) => ({ name, host, port }))
  const binds = (['tcp', 'http'] as const).map((check) => ({ bind: bindOf(entrances[check]), check }))
  const file = writeFrontFile(lab, machine, 'haproxy.cfg', '')
  const control = `${file}.socket`
  writeFrontFile(lab, machine, 'haproxy.cfg', haproxyConfiguration(binds, members, control))
  const program = lab.start(machine, ['haproxy', '-db', '-f', file])
  const haproxy = new Haproxy(entrances, control)
  await untilReady('haproxy', [program], () => haproxy.allUp())
  return haproxy
}

/**
 * What a careful administrator would write. Checks each second, ill after two; another member when one refuses; and
 * connections to a member that was found ill are cut, so that their clients can go on. The HTTP check speaks TLS, since a
 * stopped member still accepts connections. `control` is the path of a socket on which it tells how it sees them. Pure.
 */
export function haproxyConfiguration(
  entrances: readonly ProxyEntrance[],
  members: readonly ProxiedMember[],
  control?: string,
): string {
  return `global
  maxconn 4096
${control === undefined ? '' : `  stats socket ${control} mode 600\n`}defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
${entrances.map((entrance) => section(entrance, members)).join('')}`
}

function section({ bind, check }: ProxyEntrance, members: readonly ProxiedMember[]): string {
  const servers = members.map(({ name, host, port }) => `  server ${name} ${host}:${port}\n`)
  return `frontend incus-${check}
  bind ${bind}
  default_backend members-${check}
backend members-${check}
  balance roundrobin
${checks[check]}${servers.join('')}`
}

const checks: Readonly<Record<Check, string>> = {
  tcp: '  default-server check inter 1s fall 2 on-marked-down shutdown-sessions\n',
  http: `  option httpchk GET /1.0
  http-check expect status 200
  default-server check check-ssl verify none check-alpn http/1.1 inter 1s fall 2 on-marked-down shutdown-sessions
`,
}

/** The state of each server in what `show stat` says: the 2nd and the 18th column, see section 9.1 of haproxy's management guide. Pure. */
export function serverStates(csv: string): string[] {
  return csv
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(','))
    .filter(([, server]) => server !== 'FRONTEND' && server !== 'BACKEND')
    .map((cells) => cells[17] ?? '')
}

function askOnce(path: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = createConnection(path, () => socket.end(question))
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}

function bindOf({ host, port }: FrontAddress): string {
  return `${host}:${port}`
}
