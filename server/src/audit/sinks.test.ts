import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAttestationStore } from '../../testing/memory-attestation-store.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { openDatabase } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { attest } from './attestation.ts'
import { openAuditLog } from './audit-log.ts'
import { fileSink } from './file-sink.ts'
import { auditEntry } from './record.ts'
import { SinkFeed } from './sink-feed.ts'
import type { SinkPlace } from './sink-store.ts'
import { SqliteSinkStore } from './sink-store.sqlite.ts'
import type { SinkLine } from './sink.ts'
import { frame, syslogMessage, syslogSink } from './syslog-sink.ts'
import { webhookSink } from './webhook-sink.ts'

const at = '2026-01-01T00:00:00.000Z'
const line = (text: string): SinkLine => ({ kind: 'attestation', at, text })
const authority = createCertificateAuthority()
const { certificate: cert, key } = authority.issue({ commonName: 'localhost', names: ['localhost', '127.0.0.1'] })
const ca = authority.certificate

let folder: string
const servers: Server[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-sinks-'))
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  await rm(folder, { recursive: true, force: true })
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port was expected')
  return address.port
}

describe('a file', () => {
  test('gets lines at its end, and after half a line begins a new one', async () => {
    const file = path.join(folder, 'copies.ndjson')
    const sink = fileSink({ kind: 'file', name: 'mount', records: false, path: file })
    await sink.deliver([line('{"a":1}'), line('{"b":2}')])
    await sink.deliver([line('{"c":3}')])
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"b":2}\n{"c":3}\n')
    await writeFile(file, '{"a":1}\n{"b":', 'utf8')
    await sink.deliver([line('{"b":2}')])
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"b":\n{"b":2}\n')
  })

  test('on a mount that is not there takes nothing', async () => {
    const gone = path.join(folder, 'gone', 'copies.ndjson')
    const sink = fileSink({ kind: 'file', name: 'mount', records: false, path: gone })
    await expect(sink.deliver([line('{}')])).rejects.toThrow('ENOENT')
  })
})

describe('a webhook', () => {
  test.each([
    [204, true],
    [302, false],
    [500, false],
  ])('that answers %i has taken the lines: %s', async (status, taken) => {
    const bodies: string[] = []
    const server = createHttpsServer({ cert, key }, (request, response) => {
      let body = `${request.headers.authorization} ${request.headers['content-type']} `
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        bodies.push(body)
        response.writeHead(status, { location: '/elsewhere' }).end()
      })
    })
    const url = `https://localhost:${await listen(server)}/audit`
    const sink = webhookSink({ kind: 'webhook', name: 'hook', records: false, url, token: 't', ca })
    const delivered = sink.deliver([line('{"a":1}'), line('{"b":2}')])
    const said = await delivered.then(
      () => 'taken',
      (error: unknown) => String(error),
    )
    expect(said).toMatch(taken ? /^taken$/ : new RegExp(`answered ${status}$`))
    expect(bodies).toEqual(['Bearer t application/x-ndjson {"a":1}\n{"b":2}\n'])
    await sink.close()
  })
})

describe('syslog over TLS', () => {
  async function collector() {
    const received: string[] = []
    const server = createTlsServer({ cert, key }, (socket) => {
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('end', () => received.push(text))
      socket.on('error', () => undefined)
    })
    const port = await listen(server)
    const settings = { kind: 'syslog' as const, name: 'siem', records: false, host: 'localhost', port, ca }
    return { server, received, sink: syslogSink(settings, 'console1'), settings }
  }

  test('carries each line as a message of RFC 5424, framed by its length in bytes', async () => {
    const { received, sink } = await collector()
    await sink.deliver([line('{"who":"Zürich"}'), line('{}')])
    const first = `<109>1 ${at} console1 malleus - attestation - {"who":"Zürich"}`
    expect(received).toEqual([`${Buffer.byteLength(first)} ${first}${frame(syslogMessage(line('{}'), 'console1'))}`])
  })

  test('has not delivered what a collector did not take that dies meanwhile', async () => {
    const { server, sink } = await collector()
    server.on('connection', (socket: Socket) => socket.resetAndDestroy())
    await expect(sink.deliver([line('{}')])).rejects.toThrow(/ECONNRESET|closed the connection|disconnected/)
  })

  test('says nothing to who cannot show that it is the collector', async () => {
    const { settings, received } = await collector()
    const stranger = createCertificateAuthority().certificate
    await expect(syslogSink({ ...settings, ca: stranger }, 'h').deliver([line('{}')])).rejects.toThrow(
      /certificate|issuer/,
    )
    expect(received.join('')).toBe('')
  })
})

describe('what goes to a sink', () => {
  async function world(wantsRecords: boolean) {
    const clock = new ManualClock()
    const records = new MemoryAuditStore()
    const attestations = new MemoryAttestationStore(records)
    const signing = generateKeyPairSync('ed25519').privateKey
    const log = await openAuditLog({ store: records, clock, random: systemRandom, logger: silentLogger })
    const delivered: string[] = []
    let place: SinkPlace = { attestation: 0, position: 0 }
    const state = { fails: false }
    const begin = () =>
      new SinkFeed({
        sink: {
          name: 'mount',
          wantsRecords,
          deliver: (lines) => {
            if (state.fails) return Promise.reject(new Error('gone'))
            delivered.push(
              ...lines.map(({ kind, text }) => `${kind} ${String(JSON.parse(text).seq ?? JSON.parse(text).number)}`),
            )
            return Promise.resolve()
          },
          close: () => Promise.resolve(),
        },
        places: {
          place: () => Promise.resolve(place),
          move: (_sink, next) => {
            place = next
            return Promise.resolve()
          },
        },
        records,
        attestations,
        clock,
        random: systemRandom,
        logger: silentLogger,
      })
    const sign = async () => {
      const heads = [...(await attestations.heads())]
      await attestations.append(
        attest({ kind: 'checkpoint', heads, chains: 1, root: '' }, await attestations.last(), at, signing),
      )
    }
    return { clock, log, delivered, state, begin, sign, feed: begin() }
  }

  test('is what was signed, in order', async () => {
    const { clock, delivered, feed, sign } = await world(false)
    await sign()
    await sign()
    feed.poke()
    await clock.pass(0)
    await sign()
    feed.poke()
    await clock.pass(0)
    expect(delivered).toEqual(['attestation 1', 'attestation 2', 'attestation 3'])
  })

  test('are the records too, where they are wanted', async () => {
    const { clock, log, delivered, feed, sign } = await world(true)
    await log.intent(auditEntry({ action: 'member.evacuate' }))
    await sign()
    feed.poke()
    await clock.pass(0)
    expect(delivered).toEqual(['record 0', 'record 1', 'attestation 1'])
  })

  test('waits while it cannot be delivered, and goes on after another start', async () => {
    const { clock, delivered, state, begin, sign, feed } = await world(false)
    await sign()
    state.fails = true
    feed.poke()
    await clock.pass(30_000)
    expect(delivered).toEqual([])
    await feed.stop()
    state.fails = false
    begin().poke()
    await clock.pass(0)
    expect(delivered).toEqual(['attestation 1'])
  })

  test('is tried again by itself', async () => {
    const { clock, delivered, state, sign, feed } = await world(false)
    await sign()
    state.fails = true
    feed.poke()
    await clock.pass(5_000)
    state.fails = false
    await clock.pass(61_000)
    expect(delivered).toEqual(['attestation 1'])
  })

  test('has a place on disk', async () => {
    const database = await openDatabase(folder, 'audit')
    const store = new SqliteSinkStore(database)
    expect(await store.place('mount')).toEqual({ attestation: 0, position: 0 })
    await store.move('mount', { attestation: 2, position: 7 })
    await store.move('mount', { attestation: 3, position: 9 })
    expect(await store.place('mount')).toEqual({ attestation: 3, position: 9 })
    expect(await store.place('other')).toEqual({ attestation: 0, position: 0 })
    await database.close()
  })
})
