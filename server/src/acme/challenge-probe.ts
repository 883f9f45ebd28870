import { request } from 'node:http'
import type { Random } from '../lib/random.ts'

/** What came back from where an authority would look for the answer to its challenge. */
export type ChallengeAnswer =
  | { readonly kind: 'no-address'; readonly why: string }
  | { readonly kind: 'not-allowed'; readonly address: string }
  | { readonly kind: 'no-answer'; readonly address: string; readonly why: string }
  | {
      readonly kind: 'answer'
      readonly address: string
      readonly status: number
      readonly location: string | null
      readonly body: string
    }

export interface ChallengeProbePorts {
  /** All addresses of a name. Rejects when it has none. */
  readonly resolve: (name: string) => Promise<readonly string[]>
  /** Whether the console may contact an address at all. */
  readonly mayProbe: (address: string) => boolean
  readonly random: Random
  /** Authorities look at port 80 and nowhere else (RFC 8555, 8.3). Another one only for tests. Default 80. */
  readonly port?: number
}

const withinMs = 5_000
const mostBytes = 4_096

/**
 * Asks every address of a domain for a challenge that does not exist. The name is resolved once, and what it led to is
 * contacted, so that it cannot lead elsewhere between the question whether it may and the request. Nothing secret is sent,
 * and no redirect followed.
 */
export async function probeChallenge(domain: string, ports: ChallengeProbePorts): Promise<readonly ChallengeAnswer[]> {
  let addresses: readonly string[]
  try {
    addresses = await ports.resolve(domain)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return [{ kind: 'no-address', why: code }]
  }
  if (addresses.length === 0) return [{ kind: 'no-address', why: 'ENODATA' }]
  return Promise.all(
    addresses.map((address) =>
      ports.mayProbe(address)
        ? ask(domain, address, ports)
        : Promise.resolve<ChallengeAnswer>({ kind: 'not-allowed', address }),
    ),
  )
}

function ask(domain: string, address: string, { random, port = 80 }: ChallengeProbePorts): Promise<ChallengeAnswer> {
  const token = random.bytes(16).toString('base64url')
  return new Promise((resolve) => {
    const failed = (error: unknown): void => {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'no answer within 5 s'
      resolve({ kind: 'no-answer', address, why })
    }
    const outgoing = request(
      {
        host: address,
        port,
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host: domain, 'user-agent': 'malleus', connection: 'close' },
        agent: false,
        signal: AbortSignal.timeout(withinMs),
      },
      (reply) => {
        const chunks: Buffer[] = []
        let length = 0
        reply.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > mostBytes) reply.destroy()
          else chunks.push(chunk)
        })
        reply.on('error', failed)
        reply.on('close', () => {
          const { location = null } = reply.headers
          const body = Buffer.concat(chunks).toString('utf8')
          resolve({ kind: 'answer', address, status: reply.statusCode ?? 0, location, body })
        })
      },
    )
    outgoing.on('error', failed)
    outgoing.end()
  })
}
