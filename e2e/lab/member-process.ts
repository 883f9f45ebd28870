import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { until } from './deadline.ts'
import { answers } from './incus-socket.ts'
import { spawnInside, type NamespaceRoom } from './namespace.ts'
import { stateOf, type ProcessIdentity } from './process-identity.ts'
import type { StateDirectory } from './state-directory.ts'

/** Where Debian's incus-base puts the daemon. */
export const incusDaemon = '/usr/libexec/incus/incusd'

/** Every member of every lab listens on this port. */
export const memberPort = 8443

/** Starts the daemon of a member in its namespace. It answers some time later: see `untilReady`. */
export async function startDaemon(state: StateDirectory, room: NamespaceRoom, name: string): Promise<ProcessIdentity> {
  const folder = state.member(name)
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const identity = spawnInside(room, name, [incusDaemon, '--group', 'root', '--logfile', state.log(`${name}.incusd`)], {
    log: state.log(name),
    environment: { INCUS_DIR: folder, LEGO_CA_CERTIFICATES: acmeAuthority(state.path), ...trust(state) },
  })
  state.writeProcess(name, identity)
  return identity
}

/** The daemon answers on its own socket. Throws with the end of its log when it ends before that. */
export async function untilReady(state: StateDirectory, name: string): Promise<void> {
  await until(`an answer from ${name}`, 60_000, async () => {
    const identity = state.readProcess(name)
    if (identity === undefined || stateOf(identity) === 'gone')
      throw new Error(`${name} ended while starting:\n${endOf(state.log(name))}`)
    return (await answers(socketOf(state, name), 2_000)) ? true : undefined
  })
}

/** The member answers a plain `GET /1.0` over TLS on its own address, as anybody on the network sees it. */
export async function answersOnNetwork(address: string, timeoutMs: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const outgoing = request(
      {
        host: address,
        port: memberPort,
        path: '/1.0',
        // Nothing secret is said: only whether it speaks matters here, whatever certificate a test gave it.
        // oxlint-disable-next-line malleus/verified-tls
        rejectUnauthorized: false,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200))
        response.on('error', () => resolve(false))
      },
    )
    outgoing.on('error', () => resolve(false))
    outgoing.end()
  })
}

export function socketOf(state: StateDirectory, name: string): string {
  return join(state.member(name), 'unix.socket')
}

/** Certificate authorities the members believe an identity provider by. Without this file they use the machine's. */
export function trustedAuthorities(state: StateDirectory): string {
  return join(state.path, 'trusted-authorities.pem')
}

/** The authority by which lego, which a member starts for an order, believes the lab's ACME server; it may come later than the members. */
export function acmeAuthority(stateDirectory: string): string {
  return join(stateDirectory, 'acme-authority.pem')
}

/** Go reads these two instead of the system's store, see crypto/x509; the folder is empty on purpose. */
function trust(state: StateDirectory): Record<string, string> {
  const bundle = trustedAuthorities(state)
  return existsSync(bundle)
    ? { SSL_CERT_FILE: bundle, SSL_CERT_DIR: join(state.path, 'client', 'no-certificates') }
    : {}
}

function endOf(log: string): string {
  return readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')
}
