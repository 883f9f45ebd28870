import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { KeyPair } from '../../testing/certificate-authority.ts'
import { createCertificateAuthority, fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import type { RawMemberOptions } from '../../testing/raw-member.ts'
import { httpReply, startRawMember, syncReply } from '../../testing/raw-member.ts'
import type { RawMember } from '../../testing/raw-member.ts'
import type { TrustAnchor } from '../clusters/trust.ts'
import { Trust } from '../clusters/trust.ts'
import { systemClock } from '../lib/clock.ts'
import type { WireRequest } from './exchange.ts'
import { gatewaySettings } from './gateway-settings.ts'
import { MemberError } from './member-error.ts'
import type { Authority, TransportOptions } from './transport.ts'
import { Transport } from './transport.ts'
import { WebSocketConnection } from './web-socket.ts'

const clusterKeys = selfSigned({ commonName: 'cluster' })
const otherKeys = selfSigned({ commonName: 'not the cluster' })
const consoleKeys = selfSigned({ commonName: 'malleus' })
const get: WireRequest = { method: 'GET', path: '/1.0' }

const anonymous: Authority = { kind: 'anonymous' }
const bearer: Authority = { kind: 'bearer', token: 'a-token' }
const console: Authority = { kind: 'console' }
const authorities: Authority[] = [anonymous, bearer, console, { kind: 'certificate' }]

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function member(options: Partial<RawMemberOptions> = {}): Promise<RawMember> {
  const started = await startRawMember({
    identity: clusterKeys,
    answer: (socket) => socket.write(syncReply({ hello: 'world' })),
    ...options,
  })
  cleanups.push(() => started.close())
  return started
}

function pinTo(...keys: KeyPair[]): TrustAnchor {
  const pins = keys.map(({ certificate }, at) => ({
    fingerprint: fingerprintOf(certificate),
    position: at === 0 ? ('current' as const) : ('next' as const),
    from: 'test',
  }))
  return { kind: 'fingerprints', pins }
}

function world(anchor: TrustAnchor = pinTo(clusterKeys), more: Partial<TransportOptions> = {}) {
  const trust = new Trust(anchor)
  const identity = { ...consoleKeys, unrestricted: false }
  const { limits } = gatewaySettings({ limits: { connectMs: 5_000, tlsMs: 5_000 } })
  const transport = new Transport({ trust, identity, proxyProtocol: false, limits, clock: systemClock, ...more })
  cleanups.push(() => transport.destroy())
  const ask = (raw: { port: number }, authority: Authority = anonymous, request: WireRequest = get) =>
    transport.request(at(raw), authority, request)
  return { trust, transport, ask }
}

function at({ port }: { port: number }) {
  return { name: 'server1', endpoint: { host: '127.0.0.1', port } }
}

async function failureOf(reply: Promise<unknown>): Promise<MemberError> {
  const error = await reply.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof MemberError)) throw new Error('it did not fail as members do', { cause: error })
  return error
}

const probeOf = (raw: { port: number }) =>
  ({
    member: at(raw),
    authority: anonymous as { kind: 'anonymous' },
    path: '/1.0',
    connectTimeoutMs: 5_000,
    tlsTimeoutMs: 5_000,
    answerTimeoutMs: 5_000,
  }) as const

describe('a pinned member', () => {
  it('is reached at the addresses that are known of it, and nowhere else that its name may lead', async () => {
    const raw = await member()
    const { transport } = world()
    const reachable = { name: 'server1', endpoint: { host: 'elsewhere.invalid', port: raw.port } }
    const { status } = await transport.request({ ...reachable, addresses: ['127.0.0.1'] }, anonymous, get).reply
    expect(status).toBe(200)
    const lost = await failureOf(transport.request({ ...reachable, addresses: [] }, anonymous, get).reply)
    expect(lost).toMatchObject({ kind: 'unreachable', phase: 'resolve' })
  })

  it.each(authorities.map((authority) => [authority.kind, authority] as const))(
    'is asked with the authority %s',
    async (_, authority) => {
      const raw = await member()
      const { status, body } = await world().ask(raw, authority).reply
      expect([status, JSON.parse(body.toString())]).toMatchObject([200, { metadata: { hello: 'world' } }])
    },
  )

  it.each(authorities.map((authority) => [authority.kind, authority] as const))(
    'that presents another certificate is sent not one byte, nor the certificate of the console: %s',
    async (_, authority) => {
      const raw = await member({ identity: otherKeys })
      const exchange = world().ask(raw, authority)
      const error = await failureOf(exchange.reply)
      expect(error).toMatchObject({ kind: 'wrong-certificate', phase: 'certificate', sent: false })
      expect(error.message).toContain(fingerprintOf(otherKeys.certificate).slice(0, 12))
      expect(exchange.sent).toBe(false)
      // The handshake itself was never finished: what the client says last in it is its certificate.
      expect(raw.connections).toEqual([])
    },
  )

  it('may present the next certificate', async () => {
    const raw = await member({ identity: otherKeys })
    expect((await world(pinTo(clusterKeys, otherKeys)).ask(raw).reply).status).toBe(200)
  })

  it('speaks TLS 1.3', async () => {
    const raw = await member({ tls: { maxVersion: 'TLSv1.2' } })
    expect(await failureOf(world().ask(raw).reply)).toMatchObject({ kind: 'bad-reply', phase: 'tls', sent: false })
  })
})

describe('when what is trusted changes', () => {
  it('connections of before are ended, and the next handshake is judged by the new pin', async () => {
    const raw = await member()
    const { trust, ask } = world()
    await ask(raw).reply
    trust.replace(pinTo(otherKeys))
    expect(await failureOf(ask(raw).reply)).toMatchObject({ kind: 'wrong-certificate' })
    expect(raw.connections).toHaveLength(1)
    expect(raw.requests).toBe(1)
  })

  it('no session is ever resumed, so that every handshake shows its certificate', async () => {
    const raw = await member()
    const { trust, ask } = world()
    for (let round = 0; round < 3; round++) {
      await ask(raw).reply
      trust.replace(pinTo(clusterKeys))
    }
    expect(raw.connections.map(({ resumed }) => resumed)).toEqual([false, false, false])
  })

  it('what is under way fails when its certificate may not be trusted any more', async () => {
    const raw = await member({ answer: () => {} })
    const { trust, ask } = world()
    const exchange = ask(raw)
    await expect.poll(() => raw.requests).toBe(1)
    trust.replace(pinTo(otherKeys))
    expect(await failureOf(exchange.reply)).toMatchObject({ kind: 'reset', sent: true })
  })

  it('what is under way goes on when a successor was added', async () => {
    let answer = (): void => {}
    const raw = await member({ answer: (socket) => (answer = () => socket.write(syncReply(1))) })
    const { trust, ask } = world()
    const exchange = ask(raw)
    await expect.poll(() => raw.requests).toBe(1)
    trust.follow(fingerprintOf(otherKeys.certificate), 'test')
    answer()
    expect((await exchange.reply).status).toBe(200)
    const next = ask(raw)
    await expect.poll(() => raw.requests).toBe(2)
    answer()
    await next.reply
    expect(raw.connections).toHaveLength(2)
  })
})

describe('a member known by its authority', () => {
  const authority = createCertificateAuthority('lab')
  const anchor: TrustAnchor = { kind: 'ca', certificates: authority.certificate, serverName: 'incus.example.net' }
  const issued = (more: Partial<Parameters<typeof authority.issue>[0]> = {}) =>
    authority.issue({ commonName: 'x', names: ['incus.example.net'], ...more })

  it('is trusted', async () => {
    const raw = await member({ identity: issued() })
    const report = await world(anchor).transport.probe({ ...probeOf(raw), connection: 'new' })
    expect(report.presented?.verdict).toBe('trusted')
    expect(report.reply?.status).toBe(200)
  })

  it.each<[string, KeyPair, string]>([
    ['for another name', issued({ names: ['other.example.net'] }), 'unknown'],
    ['that has expired', issued({ notBefore: new Date(0), notAfter: new Date(1_000_000_000_000) }), 'expired'],
    [
      'of another authority',
      createCertificateAuthority('lab').issue({ commonName: 'x', names: ['incus.example.net'] }),
      'unknown',
    ],
    ['that signed itself', selfSigned({ commonName: 'x', names: ['incus.example.net'] }), 'unknown'],
  ])('is not, with a certificate %s', async (_, identity, verdict) => {
    const raw = await member({ identity })
    const report = await world(anchor).transport.probe({ ...probeOf(raw), connection: 'new' })
    expect(report.presented?.verdict).toBe(verdict)
    expect(report.failure).toMatchObject({ kind: 'wrong-certificate', phase: 'certificate' })
    expect(raw.requests).toBe(0)
  })
})

describe('T-no-dual-credential: identities are kept apart', () => {
  it('each authority has connections of its own, and only two of them a certificate', async () => {
    const raw = await member()
    const { ask } = world()
    for (const authority of [...authorities, ...authorities]) await ask(raw, authority).reply
    expect(raw.connections).toHaveLength(4)
    const seen = raw.connections.map(({ client, received }) => [
      client,
      /\r\nauthorization: (.*)\r\n/.exec(received)?.[1] ?? null,
    ])
    expect(seen).toEqual([
      [null, null],
      [null, 'Bearer a-token'],
      ['malleus', null],
      ['malleus', null],
    ])
  })

  it('without an identity nothing is sent in its name', async () => {
    const raw = await member()
    const { ask } = world(pinTo(clusterKeys), { identity: null })
    await expect(ask(raw, console).reply).rejects.toThrow('no console identity')
    expect(raw.connections).toEqual([])
    expect((await ask(raw, bearer).reply).status).toBe(200)
  })
})

describe('what a member is sent', () => {
  it('is the allow-list, and nothing else', async () => {
    const raw = await member()
    const { ask } = world()
    const body = Buffer.from('{"action":"evacuate"}')
    await ask(raw, bearer, { method: 'POST', path: '/1.0/x?target=a%20b', body, ifMatch: '"5f"' }).reply
    expect(raw.connections[0]?.received.split('\r\n')).toEqual([
      'POST /1.0/x?target=a%20b HTTP/1.1',
      `host: 127.0.0.1:${raw.port}`,
      'connection: keep-alive',
      'user-agent: malleus',
      'accept: application/json',
      'authorization: Bearer a-token',
      'content-type: application/json',
      'if-match: "5f"',
      'content-length: 21',
      '',
      '{"action":"evacuate"}',
    ])
  })

  it.each([
    ['a header that breaks out of its line', { ...get, ifMatch: 'x\r\nx-incus-forwarded-username: root' }],
    ['a path that breaks out of its line', { ...get, path: '/1.0 HTTP/1.1\r\nx: y' }],
    ['a path with a space', { ...get, path: '/1.0/a b' }],
  ])('is never %s', async (_, request) => {
    const raw = await member()
    const { ask } = world()
    await expect(ask(raw, anonymous, request).reply).rejects.toBeInstanceOf(MemberError)
    expect(raw.requests).toBe(0)
  })

  it('begins with a PROXY header where the cluster has it, also for the console itself', async () => {
    const raw = await member({ preamble: true })
    const { ask } = world(pinTo(clusterKeys), { proxyProtocol: true })
    for (const authority of [from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.1'), console])
      await ask(raw, authority).reply
    const seen = raw.connections.map(({ preamble }) => preamble.replace(/ \d+ \d+\r\n$/, ''))
    expect(seen).toEqual([
      'PROXY TCP4 192.0.2.1 127.0.0.1',
      'PROXY TCP4 192.0.2.2 127.0.0.1',
      'PROXY TCP4 127.0.0.1 127.0.0.1',
    ])
    // The second request of the same person went over the same connection.
    expect(raw.connections[0]?.received.match(/authorization: Bearer 192\.0\.2\.1/g)).toHaveLength(2)
  })

  const from = (clientAddress: string): Authority => ({ kind: 'bearer', token: clientAddress, clientAddress })

  it('comes over at most four connections of one person where PROXY headers are sent', async () => {
    const sockets: (() => void)[] = []
    const raw = await member({ preamble: true, answer: (socket) => sockets.push(() => socket.write(syncReply(1))) })
    const { ask } = world(pinTo(clusterKeys), { proxyProtocol: true })
    const exchanges = Array.from({ length: 6 }, () => ask(raw, from('192.0.2.1')))
    await expect.poll(() => sockets.length).toBe(4)
    for (let answered = 0; answered < 6; answered++) {
      await expect.poll(() => sockets.length).toBeGreaterThan(answered)
      sockets[answered]?.()
    }
    await Promise.all(exchanges.map(({ reply }) => reply))
    expect(raw.connections).toHaveLength(4)
  })
})

describe('an answer that is not one', () => {
  it.each<[string, string, Partial<MemberError>]>([
    ['is no HTTP', 'hello\r\n\r\n', { kind: 'bad-reply' }],
    ['is longer than it says', `${syncReply(1)}HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyou`, {}],
    ['has two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc', { kind: 'bad-reply' }],
    [
      'has a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      { kind: 'bad-reply' },
    ],
    [
      'upgrades what was not asked for',
      'HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      { kind: 'reset' },
    ],
    ['has a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\na\r\n', { kind: 'bad-reply' }],
  ])('that %s ends the connection', async (_, bytes, expected) => {
    const raw = await member({
      answer: (socket, _request, nth) => socket.write(nth === 1 ? bytes : syncReply('second')),
    })
    const { ask } = world()
    const first = await ask(raw).reply.then(
      () => ({}),
      (error: unknown) => error,
    )
    expect(first).toMatchObject(expected)
    const second = await ask(raw).reply
    expect(second.body.toString()).toContain('second')
    expect(raw.connections).toHaveLength(2)
  })

  it('that was not asked for ends the connection', async () => {
    const raw = await member({
      answer: (socket, _request, nth) => {
        socket.write(syncReply(nth))
        if (nth === 1) setImmediate(() => socket.write(syncReply('foreign')))
      },
    })
    const { ask } = world()
    await ask(raw).reply
    await expect.poll(() => raw.connections[0]?.ended).toBe(true)
    expect((await ask(raw).reply).body.toString()).toContain('2')
    expect(raw.connections).toHaveLength(2)
  })

  it('that never ends is cut off', async () => {
    const raw = await member({ answer: (socket) => socket.write(httpReply(200, 'x'.repeat(2_000_000))) })
    const { limits } = gatewaySettings({ limits: { replyBytes: 1_048_576 } })
    const error = await failureOf(world(pinTo(clusterKeys), { limits }).ask(raw).reply)
    expect(error).toMatchObject({ kind: 'bad-reply', sent: true })
  })

  it('that is a redirect is given back as it is', async () => {
    const elsewhere = await member()
    const raw = await member({
      answer: (socket) => socket.write(httpReply(302, '', `location: https://127.0.0.1:${elsewhere.port}/1.0\r\n`)),
    })
    expect((await world().ask(raw).reply).status).toBe(302)
    expect(elsewhere.connections).toEqual([])
  })

  it('that is cut in the middle is a failure', async () => {
    const raw = await member({ answer: (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf') })
    expect(await failureOf(world().ask(raw).reply)).toMatchObject({ sent: true })
  })
})

describe('what is given up', () => {
  it('before it was sent never is', async () => {
    const raw = await member()
    const { ask } = world()
    const exchange = ask(raw)
    exchange.cancel()
    expect(await failureOf(exchange.reply)).toMatchObject({ kind: 'cancelled', sent: false })
    // The connection that was being made is there for the next one.
    await ask(raw).reply
    expect(raw.requests).toBe(1)
  })

  it('after it was sent takes its connection with it', async () => {
    const raw = await member({ answer: (socket, _request, nth) => void (nth > 1 && socket.write(syncReply('mine'))) })
    const { ask } = world()
    const exchange = ask(raw)
    await expect.poll(() => raw.requests).toBe(1)
    exchange.cancel()
    expect(await failureOf(exchange.reply)).toMatchObject({ kind: 'cancelled', sent: true })
    expect((await ask(raw).reply).body.toString()).toContain('mine')
    expect(raw.connections).toHaveLength(2)
  })

  it('all of it, when the console stops', async () => {
    const raw = await member({ answer: () => {} })
    const { ask, transport } = world()
    const exchange = ask(raw)
    await expect.poll(() => raw.requests).toBe(1)
    transport.destroy()
    expect((await failureOf(exchange.reply)).sent).toBe(true)
    expect((await failureOf(ask(raw).reply)).sent).toBe(false)
  })
})

describe('a probe', () => {
  it('says how long each phase took and what was presented', async () => {
    const raw = await member()
    const { transport } = world()
    const cold = await transport.probe({ ...probeOf(raw), connection: 'new' })
    expect(cold).toMatchObject({ failure: null, presented: { verdict: 'same' }, reply: { status: 200 } })
    expect(cold.presented?.certificate.fingerprint256).toBe(new X509Certificate(clusterKeys.certificate).fingerprint256)
    for (const ms of [cold.connectMs, cold.tlsMs, cold.firstByteMs]) expect(ms).toBeGreaterThan(0)
  })

  it('uses the connection that the last one left, and no other', async () => {
    const raw = await member()
    const { transport, ask } = world()
    await transport.probe({ ...probeOf(raw), connection: 'new' })
    const warm = await transport.probe({ ...probeOf(raw), connection: 'warm' })
    expect(warm).toMatchObject({ connectMs: null, tlsMs: null, presented: null, failure: null })
    expect(raw.connections).toHaveLength(1)
    await ask(raw).reply
    expect(raw.connections).toHaveLength(2)
    await transport.probe({ ...probeOf(raw), connection: 'new' })
    expect(raw.connections).toHaveLength(3)
  })

  it('makes a connection where none is left', async () => {
    const raw = await member({ answer: (socket) => socket.end(httpReply(200, '{}', 'connection: close\r\n')) })
    const { transport } = world()
    await transport.probe({ ...probeOf(raw), connection: 'warm' })
    await expect.poll(async () => (await transport.probe({ ...probeOf(raw), connection: 'warm' })).failure).toBeNull()
    expect(raw.connections.length).toBeGreaterThan(1)
  })

  it('says that the answer did not come', async () => {
    const raw = await member({ answer: () => {} })
    const report = await world().transport.probe({ ...probeOf(raw), connection: 'new', answerTimeoutMs: 50 })
    expect(report).toMatchObject({ reply: null, firstByteMs: null, failure: { kind: 'timed-out', phase: 'answer' } })
    expect(report.tlsMs).toBeGreaterThan(0)
  })

  it('says that nobody is there', async () => {
    const raw = await member()
    await raw.close()
    const report = await world().transport.probe({ ...probeOf(raw), connection: 'new' })
    expect(report).toMatchObject({ connectMs: null, failure: { kind: 'refused', phase: 'connect' } })
  })

  it('ends early when it is not wanted any more', async () => {
    const raw = await member({ answer: () => {} })
    const gone = new AbortController()
    const report = world().transport.probe({
      ...probeOf(raw),
      connection: 'new',
      signal: gone.signal,
      answerTimeoutMs: 60_000,
    })
    await expect.poll(() => raw.requests).toBe(1)
    gone.abort()
    expect(await report).toMatchObject({ failure: { kind: 'cancelled' } })
    const never = await world().transport.probe({ ...probeOf(raw), connection: 'new', signal: AbortSignal.abort() })
    expect(never).toMatchObject({ failure: { kind: 'cancelled' }, connectMs: null })
  })
})

describe('a WebSocket', () => {
  const handlers = { onMessage: () => {}, onPing: () => {} }
  const open = (raw: RawMember, transport: Transport, signal?: AbortSignal) =>
    transport.openWebSocket({
      member: at(raw),
      authority: bearer,
      path: '/1.0/events',
      openTimeoutMs: 1_000,
      mostMessageBytes: 1_000,
      handlers,
      ...(signal ? { signal } : {}),
    })

  it('that is refused gives the answer', async () => {
    const raw = await member({ answer: (socket) => socket.write(httpReply(403, '{}')) })
    expect(await open(raw, world().transport)).toMatchObject({ kind: 'refused', reply: { status: 403 } })
  })

  it('that accepts another key is none', async () => {
    const raw = await member({
      answer: (socket) =>
        socket.write('HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n'),
    })
    await expect(open(raw, world().transport)).rejects.toMatchObject({ kind: 'reset', phase: 'answer' })
  })

  it('that is not answered in time is given up', async () => {
    const raw = await member({ answer: () => {} })
    await expect(open(raw, world().transport)).rejects.toMatchObject({ kind: 'timed-out', phase: 'answer' })
  })

  it('is asked for with the token and without a certificate, and ends with the trust', async () => {
    const { createHash } = await import('node:crypto')
    const raw = await member({
      answer: (socket, request) => {
        const key = /sec-websocket-key: (\S+)/.exec(request)?.[1] ?? ''
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
        socket.write(
          `HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
        )
      },
    })
    const { transport, trust } = world()
    const socket = await open(raw, transport)
    if (!(socket instanceof WebSocketConnection)) throw new Error('it was refused')
    expect(raw.connections[0]).toMatchObject({ client: null })
    expect(raw.connections[0]?.received).toContain('authorization: Bearer a-token\r\n')
    expect(raw.connections[0]?.received).not.toMatch(/origin|sec-fetch|extensions|cookie/i)
    trust.replace(pinTo(otherKeys))
    expect((await socket.closed).reason).toContain('not trusted any more')
  })
})
