// Reads for a measurement from a process of its own, so that what the measurement does meanwhile delays no read, and so
// that a read can be made from another place in the network. Asked and answered over the channel to its parent; ends
// when that is closed.

import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { Question } from './reader.ts'
import { clusterTrust } from './member-trust.ts'
import { type Outcome, type ReadOptions, timedRead } from './timed-read.ts'

/** One context for all reads of a certificate: making it costs more than a handshake. */
const trusts = new Map<string, ReturnType<typeof clusterTrust>>()
/** Of kept connections, by certificate. */
const agents = new Map<string, TlsAgent>()
const plainAgent = new Agent({ keepAlive: true })

process.on('disconnect', () => process.exit(0))
process.on('message', (message) => {
  const { id, ...question } = Question.parse(message)
  void answer(question).then((outcome) => process.send?.({ id, outcome }))
})
// A terminal's Ctrl-C is for the measurement.
process.on('SIGINT', () => undefined)

function answer(question: Omit<Question, 'id'>): Promise<Outcome> {
  const { read, patienceMs } = question
  return read.kind === 'command'
    ? timedCommand(read.argv, read.environment, patienceMs)
    : timedRead(optionsOf(read), patienceMs)
}

function optionsOf(read: Extract<Question['read'], { kind: 'request' }>): ReadOptions {
  const { host, port, path, headers, certificate, kept = false } = read
  const options = { host, port, path, headers }
  if (certificate === undefined) return { scheme: 'http', options: { ...options, agent: kept && plainAgent } }
  const trust = remembered(trusts, certificate, () => clusterTrust(certificate))
  // With the trust in the options of each request instead, Node keeps no connection.
  if (!kept) return { scheme: 'https', options: { ...options, ...trust, agent: false } }
  const agent = remembered(agents, certificate, () => new TlsAgent({ keepAlive: true, ...trust }))
  return { scheme: 'https', options: { ...options, agent } }
}

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

/** What the program prints is the answer, when it ends well. Never rejects. */
function timedCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  patienceMs: number,
): Promise<Outcome> {
  const startedAt = performance.now()
  const [program = '', ...rest] = argv
  return new Promise((resolve) => {
    const ms = (): number => performance.now() - startedAt
    const child = spawn(program, rest, {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: Math.max(1, Math.round(patienceMs)),
      killSignal: 'SIGKILL',
    })
    let body = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (body += text))
    child.on('error', (error) => resolve({ kind: 'failed', startedAt, ms: ms(), why: error.message }))
    child.on('close', (code, signal) => {
      if (code === 0) resolve({ kind: 'answered', startedAt, ms: ms(), status: 200, body, reused: false })
      else resolve({ kind: 'failed', startedAt, ms: ms(), why: `${program} ended with ${signal ?? code}` })
    })
  })
}
