// The lab's own identity provider. It listens where members and the host's browsers both reach it: on the host's end of
// the lab's bridge.

import { mkdirSync, writeFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import { until } from './deadline.ts'
import { trustedAuthorities } from './member-process.ts'
import { spawnOnHost, type NamespaceRoom } from './namespace.ts'
import { stateOf } from './process-identity.ts'
import type { ProviderFacts } from './provider-facts.ts'
import type { StateDirectory } from './state-directory.ts'

const Person = z.object({
  sub: z.string(),
  name: z.string(),
  email: z.string().exactOptional(),
  groups: z.array(z.string()),
  role: z.string().exactOptional(),
})
export type Person = z.infer<typeof Person>

/** What `provider-process.ts` is started with. */
export const ProviderSettings = z.object({
  host: z.string(),
  port: z.number().int(),
  tls: z.object({ certificate: z.string(), key: z.string() }).optional(),
  console: z.object({
    clientId: z.string(),
    clientSecret: z.string(),
    redirectUris: z.array(z.string()),
    postLogoutRedirectUris: z.array(z.string()),
  }),
  people: z.array(Person),
  audience: z.string(),
})
export type ProviderSettings = z.infer<typeof ProviderSettings>

/** One of each role the console knows, and one without any. */
export const labPeople: readonly Person[] = [
  { sub: 'ada', name: 'Ada Admin', email: 'ada@lab.test', groups: ['incus-admins', 'staff'], role: 'admin' },
  {
    sub: 'otto',
    name: 'Otto Operator',
    email: 'otto@lab.test',
    groups: ['incus-operators', 'staff'],
    role: 'operator',
  },
  { sub: 'vera', name: 'Vera Viewer', email: 'vera@lab.test', groups: ['staff'], role: 'viewer' },
  { sub: 'aud', name: 'Aud Auditor', email: 'aud@lab.test', groups: ['audit'], role: 'auditor' },
  { sub: 'nick', name: 'Nick Norole', email: 'nick@lab.test', groups: [], role: 'no role' },
]

export interface ProviderWishes {
  /** Serve HTTPS with a certificate of the lab's own authority, which the members are told to trust. Default: plain HTTP, which Incus accepts. */
  readonly tls: boolean
  /** Where the console will be, such as `http://localhost:8480`. */
  readonly consoleUrls: readonly string[]
}

/** Writes down what the provider will be. Before the members start, because they read the authorities they trust once. */
export function prepareProvider(state: StateDirectory, host: string, wishes: ProviderWishes): ProviderFacts {
  const authority = wishes.tls ? createCertificateAuthority('Malleus lab') : undefined
  const settings: ProviderSettings = {
    host,
    port: wishes.tls ? 9443 : 9080,
    tls: authority?.issue({ commonName: 'identity provider', names: [host], usages: ['server'] }),
    console: {
      clientId: 'malleus',
      clientSecret: 'malleus-secret',
      redirectUris: wishes.consoleUrls.map((url) => `${url}/auth/callback`),
      postLogoutRedirectUris: wishes.consoleUrls.map((url) => `${url}/sign-in`),
    },
    people: [...labPeople],
    audience: 'incus',
  }
  writeFileSync(settingsFile(state), JSON.stringify(settings), { mode: 0o600 })
  if (authority !== undefined) trustAuthorities(state, [authority.certificate])
  return {
    issuer: `${wishes.tls ? 'https' : 'http'}://${host}:${settings.port}`,
    audience: settings.audience,
    clientId: 'incus',
    console: { clientId: settings.console.clientId, clientSecret: settings.console.clientSecret },
    ...(authority === undefined ? {} : { ca: authority.certificate }),
  }
}

/** Makes the members that start from now on believe these authorities (PEM), and none besides. */
export function trustAuthorities(state: StateDirectory, certificates: readonly string[]): void {
  mkdirSync(join(state.path, 'client', 'no-certificates'), { recursive: true })
  writeFileSync(trustedAuthorities(state), certificates.join('\n'), { flag: 'a' })
}

/** Starts the prepared provider and waits until it answers. */
export async function startProvider(state: StateDirectory, room: NamespaceRoom, facts: ProviderFacts): Promise<void> {
  const script = fileURLToPath(new URL('provider-process.ts', import.meta.url))
  const log = state.log('provider')
  const identity = spawnOnHost(room, [process.execPath, script, settingsFile(state)], { log })
  state.writeProcess('provider', identity)
  await until('the identity provider', 30_000, async () => {
    if (stateOf(identity) === 'gone') throw new Error(`the identity provider ended; see ${log}`)
    return (await providerAnswers(facts)) ? true : undefined
  })
}

/** Does the provider describe itself? */
export async function providerAnswers(facts: ProviderFacts): Promise<boolean> {
  const url = `${facts.issuer}/.well-known/openid-configuration`
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  const trust = facts.ca === undefined ? {} : { ca: facts.ca }
  return await new Promise((resolve) => {
    const outgoing = request(url, { agent: false, signal: AbortSignal.timeout(2_000), ...trust }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 200))
      response.on('error', () => resolve(false))
    })
    outgoing.on('error', () => resolve(false))
    outgoing.end()
  })
}

function settingsFile(state: StateDirectory): string {
  return join(state.path, 'provider.json')
}
