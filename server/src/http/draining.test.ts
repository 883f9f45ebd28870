import { once } from 'node:events'
import { listMembers } from '@malleus/shared/api/members.ts'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDoor, type TestDoor } from '../../testing/test-door.ts'
import { route } from './route.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

const path = '/api/clusters/prod-eu/members'

/** A door whose one route answers when it is told to. */
async function start() {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const handler = async () => {
    begin()
    await released
    return { members: [], groups: [], modes: { evacuate: [], restore: [] } }
  }
  const goodbyes: string[] = []
  const test = await startTestDoor({
    routes: [route({ endpoint: listMembers, action: 'member.list', class: 'stream', handler })],
    openLive: ({ stream }) => {
      goodbye = () => {
        stream.send({ event: 'goaway', data: { withinMs: 2_000 } })
        stream.close()
      }
      stream.send({ event: 'resync', data: {} })
    },
  })
  let goodbye = (): void => {}
  doors.push(test)
  const clock = new ManualClock()
  const drain = (times = {}) =>
    test.door.draining.drain(
      test.server,
      clock,
      () => {
        goodbyes.push('goaway')
        goodbye()
      },
      times,
    )
  return { ...test, clock, drain, release: () => release(), begun, goodbyes }
}

describe('a replica that stops', () => {
  it('says so at once, serves on for its grace, finishes what runs, and closes', async () => {
    const { ask, clock, drain, release, begun, goodbyes, door } = await start()
    const drained = drain()
    expect(door.draining.phase).toBe('leaving')
    expect((await ask('/api/nothing')).status).toBe(404)
    const running = ask(path)
    await begun
    await clock.pass(5_000)
    expect(door.draining.phase).toBe('draining')
    expect(goodbyes).toEqual(['goaway'])
    await expect(ask('/api/nothing')).rejects.toThrow('ECONNREFUSED')
    release()
    expect((await running).status).toBe(200)
    await drained
  })

  it('refuses new work that comes on a connection which is still open', async () => {
    const { clock, drain, release, begun, port } = await start()
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Console-Request: 1\r\nCookie: sid=admin\r\n\r\n`
    socket.write(request)
    await begun
    const drained = drain()
    await clock.pass(5_000)
    socket.write(request)
    release()
    await once(socket, 'close')
    const text = Buffer.concat(chunks).toString()
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '503'])
    expect(text).toContain('"code":"draining"')
    await drained
  })

  it('closes a connection that is kept alive as soon as its answer is out', async () => {
    const { clock, drain, release, begun, port } = await start()
    const socket = connect(port, '127.0.0.1')
    const ended = once(socket, 'close')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Console-Request: 1\r\nCookie: sid=admin\r\n\r\n`)
    await begun
    const drained = drain()
    await clock.pass(5_000)
    const answer = once(socket, 'data')
    release()
    expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 200/)
    await clock.pass(200)
    await ended
    await drained
  })

  it('sends every live stream away', async () => {
    const { ask, clock, drain } = await start()
    const streaming = ask('/api/live')
    const drained = drain()
    await clock.pass(1_000)
    await clock.pass(4_000)
    expect((await streaming).text).toContain('event: goaway')
    await drained
  })

  it('cuts what does not end in time', async () => {
    const { ask, clock, drain, begun } = await start()
    const running = ask(path)
    const cut = running.catch((error: unknown) => String(error))
    await begun
    const drained = drain({ graceMs: 10, mostMs: 1_000 })
    await clock.pass(10)
    await clock.pass(990)
    expect(await cut).toMatch(/hang up|ECONNRESET/)
    await drained
  })

  it('stops once', async () => {
    const { clock, drain, goodbyes, server } = await start()
    const both = Promise.all([drain(), drain()])
    await clock.pass(5_000)
    await both
    expect(goodbyes).toEqual(['goaway'])
    expect(server.listening).toBe(false)
  })
})
