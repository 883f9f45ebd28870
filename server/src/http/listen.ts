import { once } from 'node:events'
import type { Server } from 'node:http'
import { isIPv6 } from 'node:net'

/** A listener could not be opened. The message is a sentence for the person who starts the console. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

/**
 * Resolves when the server listens.
 *
 * @throws CannotListen when somebody else has the port, the machine not the address, or the console no right to it.
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const where = `${isIPv6(host) ? `[${host}]` : host}:${port}`
    throw new CannotListen(`The console cannot listen on ${where}, because ${reasonOf(cause)}.`, { cause })
  }
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'something else does already'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['EACCES', 'the user who runs it may not use that port'],
  ['ENOTFOUND', 'that name has no address'],
])

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return reasons.get(code) ?? `it failed (${String(code ?? error)})`
}
