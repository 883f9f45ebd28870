import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import { startCompanion } from './companion.ts'
import type { Run } from './measurement.ts'
import type { MemberAddress } from './member-trust.ts'

/** Starts haproxy in TCP mode over the members, with health checks that ask each member's API; gives its port on 127.0.0.1. */
export async function startHaproxy(run: Run, folder: string, members: readonly MemberAddress[]): Promise<number> {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, haproxyConfiguration(port, members))
  await startCompanion(run, ['haproxy', '-db', '-f', file]).listensOn(port)
  return port
}

/**
 * What a careful administrator would write: checks that speak HTTP over TLS, since a stopped member still accepts
 * connections; another member when one refuses; and connections to a member that was found ill are cut, so that their
 * clients can go on.
 */
function haproxyConfiguration(port: number, members: readonly MemberAddress[]): string {
  const servers = members.map(({ name, host, port: at }) => `  server ${name} ${host}:${at}`)
  return `global
  maxconn 4096
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
frontend incus
  bind 127.0.0.1:${port}
  default_backend members
backend members
  balance roundrobin
  option httpchk GET /1.0
  http-check expect status 200
  default-server check check-ssl verify none check-alpn http/1.1 inter 1s fall 2 on-marked-down shutdown-sessions
${servers.join('\n')}
`
}
