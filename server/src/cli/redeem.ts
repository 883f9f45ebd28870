import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { listOf } from '@malleus/shared/incus/reply.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from '../clusters/endpoint.ts'
import { Trust } from '../clusters/trust.ts'
import { gatewaySettings } from '../gateway/gateway-settings.ts'
import { readIncusReply } from '../gateway/incus-reply.ts'
import { MemberError } from '../gateway/member-error.ts'
import { Transport } from '../gateway/transport.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { CliError, exitCodes } from './cli-error.ts'
import type { NewIdentity } from './console-identity.ts'
import type { TrustToken } from './trust-token.ts'

/** What is known of a cluster once it trusts the console. */
export interface RedeemedCluster {
  /** The member that took the token. */
  readonly via: Endpoint
  /** Where all its members answer, as far as the cluster says; at least the one that took the token. */
  readonly members: readonly Endpoint[]
  /** Whether Incus restricts the console's certificate to projects. */
  readonly restricted: boolean
  /** Whether people's tokens can be used there. */
  readonly takesTokens: boolean
}

const ANSWER_MS = 15_000

/**
 * Redeems a token: shows the console's certificate, and the secret, to a member that presents the certificate the token
 * names, and to nobody else. Addresses are tried one after the other.
 *
 * @throws CliError that says whether nobody was reached, somebody else answered, or the token was refused.
 */
export async function redeemToken(token: TrustToken, identity: NewIdentity, clock: Clock): Promise<RedeemedCluster> {
  const { limits } = gatewaySettings()
  const pin = { fingerprint: token.fingerprint, position: 'current', from: 'trust token' } as const
  const transport = new Transport({
    trust: new Trust({ kind: 'fingerprints', pins: [pin] }),
    identity: { ...identity, unrestricted: false },
    proxyProtocol: false,
    limits,
    clock,
  })
  try {
    const via = await findMember(transport, token.addresses)
    await redeemAt(transport, via, token, clock)
    const trust = await describeTrust(transport, via, identity, clock)
    return { via, ...trust, members: await listMembers(transport, via, clock) }
  } finally {
    transport.destroy()
  }
}

/** The first address behind which the right certificate is presented and the API answers. */
async function findMember(transport: Transport, addresses: readonly Endpoint[]): Promise<Endpoint> {
  const failures: MemberError[] = []
  for (const endpoint of addresses) {
    const { failure } = await transport.probe({
      member: { name: formatEndpoint(endpoint), endpoint },
      authority: { kind: 'anonymous' },
      path: '/1.0',
      connection: 'new',
      connectTimeoutMs: 3_000,
      tlsTimeoutMs: 3_000,
      answerTimeoutMs: 5_000,
    })
    if (failure === null) return endpoint
    failures.push(failure)
  }
  const described = failures.map((failure) => `  ${failure.message}`).join('\n')
  const impostor = failures.find((failure) => failure.kind === 'wrong-certificate')
  if (impostor !== undefined) {
    throw new CliError(
      exitCodes.wrongFingerprint,
      `What answers does not present the certificate that the token names, so nothing was sent to it:\n${described}\nIf the cluster's certificate was replaced since, make a new token.`,
      impostor,
    )
  }
  throw new CliError(
    exitCodes.unreachable,
    `None of the addresses in the token answers from here:\n${described}\nThe token is still good.`,
    failures.at(-1),
  )
}

async function redeemAt(transport: Transport, via: Endpoint, token: TrustToken, clock: Clock): Promise<void> {
  const body = Buffer.from(JSON.stringify({ type: 'client', trust_token: token.text }))
  try {
    await ask(transport, via, { method: 'POST', path: '/1.0/certificates', body }, z.unknown(), clock)
  } catch (error) {
    if (!(error instanceof MemberError)) throw error
    // Whether it was taken is found out by looking, see below: a token can be redeemed once.
    if (error.kind !== 'incus') return
    const known =
      error.status === 403
        ? 'The cluster refused the token: it was used or withdrawn, or the server that made it has restarted since. Make a new one: incus config trust add malleus'
        : `The cluster refused the token: ${error.message}`
    throw new CliError(exitCodes.refusedToken, known, error)
  }
}

const ServerInfo = z.object({ auth: z.string(), auth_methods: z.array(z.string()).default([]) })
const Entry = z.object({ restricted: z.boolean().default(false) })

async function describeTrust(
  transport: Transport,
  via: Endpoint,
  identity: NewIdentity,
  clock: Clock,
): Promise<Pick<RedeemedCluster, 'restricted' | 'takesTokens'>> {
  const own = new X509Certificate(identity.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  try {
    const server = await ask(transport, via, { method: 'GET', path: '/1.0' }, ServerInfo, clock)
    if (server.auth !== 'trusted') {
      throw new CliError(
        exitCodes.notTrusted,
        'The token was sent, and the cluster still does not trust the console. Make a new token.',
      )
    }
    const entry = await ask(transport, via, { method: 'GET', path: `/1.0/certificates/${own}` }, Entry, clock)
    return { restricted: entry.restricted, takesTokens: server.auth_methods.includes('oidc') }
  } catch (error) {
    if (!(error instanceof MemberError)) throw error
    throw new CliError(
      exitCodes.notTrusted,
      `The token was sent, and whether the cluster trusts the console could not be seen: ${error.message}`,
      error,
    )
  }
}

/**
 * A token names the addresses of one member (incus `cmd/incusd/certificates.go`), and the console
 * contacts exactly the addresses it is given, so the others are asked for. A standalone server has no list.
 */
async function listMembers(transport: Transport, via: Endpoint, clock: Clock): Promise<readonly Endpoint[]> {
  const request = { method: 'GET', path: '/1.0/cluster/members?recursion=1' } as const
  try {
    const members = await ask(transport, via, request, listOf(z.object({ url: z.string() })), clock)
    const others = members.map(({ url }) => parseEndpoint(url)).filter((member) => !isSame(member, via))
    return [via, ...others]
  } catch (error) {
    if (error instanceof MemberError || error instanceof RangeError) return [via]
    throw error
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return formatEndpoint(one) === formatEndpoint(other)
}

async function ask<Parsed>(
  transport: Transport,
  endpoint: Endpoint,
  request: Parameters<Transport['request']>[2],
  parse: z.ZodType<Parsed>,
  clock: Clock,
): Promise<Parsed> {
  const member = formatEndpoint(endpoint)
  const exchange = transport.request({ name: member, endpoint }, { kind: 'console' }, request)
  const answered = new AbortController()
  void sleep(clock, ANSWER_MS, answered.signal).then(() => exchange.cancel())
  try {
    return readIncusReply(await exchange.reply, { member, bearer: false, parse }).value
  } finally {
    answered.abort()
  }
}
