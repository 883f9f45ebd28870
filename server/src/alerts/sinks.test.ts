import { createServer as createHttpsServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../testing/certificate-authority.ts'
import { testMessage } from './alert-message.ts'
import type { EmailSettings } from './email-sink.ts'
import { emailSink } from './email-sink.ts'
import { webhookSink } from './webhook-sink.ts'

const authority = createCertificateAuthority()
const { certificate: cert, key } = authority.issue({ commonName: 'localhost', names: ['localhost', '127.0.0.1'] })
const ca = authority.certificate
const message = { ...testMessage('https://console.example.net'), subject: 'Ende in 6 Tagen: Zürich' }

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port was expected')
  return address.port
}

describe('a webhook', () => {
  async function hook(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const bodies: string[] = []
    const server = createHttpsServer({ cert, key }, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        bodies.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'} ${body}`)
        answer(request, response)
      })
    })
    const port = await listen(server)
    const sink = webhookSink({ url: `https://localhost:${port}/T0/secret`, token: 'let-me-in', ca })
    return { sink, bodies, port }
  }

  test('gets words for people and the same for programs, with its token, and what it says is told', async () => {
    const { sink, bodies, port } = await hook((_request, response) => response.writeHead(202).end('queued\n'))
    expect(await sink.deliver(message)).toBe(`localhost:${port} answered 202: queued`)
    expect(bodies).toEqual([
      `POST /T0/secret Bearer let-me-in ${JSON.stringify({ subject: message.subject, text: message.text, alerts: [], test: true })}`,
    ])
    expect(sink.to).toBe(`localhost:${port}`)
    await sink.close()
  })

  test.each([
    ['refuses', 403, {}, /answered 403: no$/],
    [
      'sends elsewhere, which is not followed',
      302,
      { location: 'https://elsewhere.example' },
      /answered 302.*not foll/,
    ],
  ])('that %s has not got it', async (_what, status, headers, words) => {
    const { sink, bodies } = await hook((_request, response) => response.writeHead(status, headers).end('no'))
    await expect(sink.deliver(message)).rejects.toThrow(words)
    expect(bodies).toHaveLength(1)
    await sink.close()
  })

  test('whose certificate nobody vouches for is sent nothing', async () => {
    const { bodies, port } = await hook((_request, response) => response.end())
    const sink = webhookSink({ url: `https://localhost:${port}/`, token: null, ca: null })
    await expect(sink.deliver(message)).rejects.toThrow(/could not be asked, or did not answer: .*certificate/)
    expect(bodies).toEqual([])
    await sink.close()
  })
})

/** A mail server as small as it can be: what it was told, line by line, and the mails it took. */
async function mailServer(offers: { readonly starttls: boolean; readonly refuses?: string }) {
  const heard: string[] = []
  const mails: string[] = []
  const talk = (socket: Socket, secure: boolean): void => {
    let rest = ''
    let inMail: string[] | null = null
    const hear = (line: string): void => {
      if (inMail !== null) {
        if (line !== '.') return void inMail.push(line)
        mails.push(inMail.join('\n'))
        inMail = null
        return void socket.write('250 2.0.0 queued as 42\r\n')
      }
      heard.push(`${secure ? 'secure' : 'clear'} ${line}`)
      const word = line.split(/[ :]/, 1)[0]?.toUpperCase() ?? ''
      if (word === 'EHLO') {
        const extensions = secure ? ['AUTH PLAIN'] : offers.starttls ? ['STARTTLS'] : []
        const lines = ['mail.test', ...extensions]
        socket.write(lines.map((text, at) => `250${at === lines.length - 1 ? ' ' : '-'}${text}\r\n`).join(''))
      } else if (word === 'STARTTLS' && !offers.starttls) socket.write('502 5.5.1 not here\r\n')
      else if (word === 'STARTTLS') {
        socket.write('220 go\r\n')
        socket.removeAllListeners('data')
        const wrapped = new TLSSocket(socket, { isServer: true, cert, key })
        wrapped.on('error', () => socket.destroy())
        talk(wrapped, true)
      } else if (word === offers.refuses) socket.write('550 5.7.1 not from here\r\n')
      else if (word === 'AUTH') socket.write('235 in\r\n')
      else if (word === 'DATA') {
        inMail = []
        socket.write('354 go\r\n')
      } else if (word === 'QUIT') socket.end('221 bye\r\n')
      else socket.write('250 ok\r\n')
    }
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) hear(line)
    })
    socket.on('error', () => socket.destroy())
  }
  const port = await listen(
    createServer((socket) => {
      socket.write('220 mail.test\r\n')
      talk(socket, false)
    }),
  )
  return { port, heard, mails }
}

/** Everything that a log could have of it. */
async function wholeFailure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return inspect(error, { depth: 20, showHidden: true, getters: false })
}

test('T-canary: no failure has the token or the password in it', async () => {
  const port = await listen(createServer((socket) => socket.destroy()))
  const hook = webhookSink({ url: `https://localhost:${port}/T0`, token: 'canary-of-a-hook', ca })
  expect(await wholeFailure(hook.deliver(message))).not.toContain('canary')
  await hook.close()
  for (const refuses of ['AUTH', 'MAIL']) {
    const server = await mailServer({ starttls: true, refuses })
    const sink = emailSink(settings(server.port, { password: 'canary-of-a-mailbox' }))
    const failure = await wholeFailure(sink.deliver(message))
    expect(failure).toContain('550 5.7.1 not from here')
    expect(failure).not.toContain('canary')
    expect(failure).not.toContain(Buffer.from('\0malleus\0canary-of-a-mailbox').toString('base64'))
    await sink.close()
  }
})

const settings = (port: number, more: Partial<EmailSettings> = {}): EmailSettings => ({
  host: 'localhost',
  port,
  tls: 'starttls',
  username: 'malleus',
  password: 'hush-hush',
  from: 'Malleus <malleus@example.net>',
  to: ['ops@example.net', 'jo@example.net'],
  ca,
  ...more,
})

describe('a mail', () => {
  test('is given over once the way is encrypted, and what the server said is told', async () => {
    const { port, heard, mails } = await mailServer({ starttls: true })
    const sink = emailSink(settings(port))
    expect(await sink.deliver(message)).toBe(`localhost:${port} said: 250 2.0.0 queued as 42`)
    expect(heard.filter((line) => line.startsWith('clear')).map((line) => line.split(' ')[1])).toEqual([
      'EHLO',
      'STARTTLS',
    ])
    expect(heard).toContain(`secure AUTH PLAIN ${Buffer.from('\0malleus\0hush-hush').toString('base64')}`)
    expect(heard).toContain('secure RCPT TO:<jo@example.net>')
    expect(mails).toHaveLength(1)
    expect(mails[0]).toContain('From: Malleus <malleus@example.net>')
    expect(mails[0]).toContain('Subject: =?UTF-8?')
    expect(mails[0]).toContain('This is a test from the Malleus console')
    expect(sink.to).toBe('ops@example.net, jo@example.net')
    await sink.close()
  })

  test('and its password are not given to a server that offers no encryption', async () => {
    const { port, heard, mails } = await mailServer({ starttls: false })
    const sink = emailSink(settings(port))
    await expect(sink.deliver(message)).rejects.toThrow(/^localhost:\d+: /)
    expect(heard.some((line) => /AUTH|MAIL/.test(line))).toBe(false)
    expect(mails).toEqual([])
    await sink.close()
  })

  test('goes in the clear where that is what was configured, for this machine itself', async () => {
    const { port, mails } = await mailServer({ starttls: false })
    const sink = emailSink(settings(port, { tls: 'none', username: null, password: null }))
    await sink.deliver(message)
    expect(mails).toHaveLength(1)
    await sink.close()
  })

  test('is not given to who has the certificate of nobody', async () => {
    const { port, mails } = await mailServer({ starttls: true })
    const sink = emailSink(settings(port, { ca: null }))
    await expect(sink.deliver(message)).rejects.toThrow(/certificate/)
    expect(mails).toEqual([])
    await sink.close()
  })

  test('that is refused is told in the words of the server, without the password', async () => {
    const { port } = await mailServer({ starttls: true, refuses: 'MAIL' })
    const sink = emailSink(settings(port))
    await expect(sink.deliver(message)).rejects.toThrow(`localhost:${port}: 550 5.7.1 not from here`)
    await expect(sink.deliver(message)).rejects.not.toThrow('hush-hush')
    await sink.close()
  })

  test('to where nobody listens says so', async () => {
    const port = await listen(createServer())
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve))
    const sink = emailSink(settings(port))
    await expect(sink.deliver(message)).rejects.toThrow(/ECONNREFUSED/)
    await sink.close()
  })
})
