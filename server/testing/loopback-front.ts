/** A way to members that stands on loopback: passes connections on, each to the next of its members in turn. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface LoopbackFront {
  /** `127.0.0.1:40123` */
  readonly address: string
  /** Ports of the members that get connections. */
  members: readonly number[]
  close(): Promise<void>
}

/** `members` are ports of this machine. It checks nothing: a member that answers nothing keeps its share. */
export async function startLoopbackFront(members: readonly number[]): Promise<LoopbackFront> {
  const open = new Set<Socket>()
  let turn = 0
  const server = createServer((client) => {
    const port = front.members[turn++ % front.members.length]
    if (port === undefined) {
      client.destroy()
      return
    }
    const member = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [client, member],
      [member, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Listening on an address, it has one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo
  const front: LoopbackFront = {
    address: `127.0.0.1:${port}`,
    members,
    close: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      if (server.listening) await once(server, 'close')
    },
  }
  return front
}
