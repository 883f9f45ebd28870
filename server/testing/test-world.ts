/**
 * What the console is installed into: a stand-in cluster, an identity provider, and a folder with a configuration file
 * for it, on addresses of this machine that nobody else has.
 */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { KeyPair } from './certificate-authority.ts'
import { selfSigned } from './certificate-authority.ts'
import type { IdentityProvider, IdentityProviderOptions } from './stand-in-idp.ts'
import { startIdentityProvider } from './stand-in-idp.ts'
import type { StandInClusterOptions } from './stand-in/options.ts'
import type { StandInCluster } from './stand-in/stand-in-cluster.ts'
import { startStandInCluster } from './stand-in/stand-in-cluster.ts'

export interface TestWorldOptions {
  /** Default: three. */
  readonly members?: number
  /** Default: nothing takes time there. */
  readonly cluster?: StandInClusterOptions
  readonly provider?: Partial<IdentityProviderOptions>
  /** Default: bearer. */
  readonly mode?: 'bearer' | 'certificate'
  /** Whether members know the provider. Default: in bearer mode. */
  readonly oidc?: boolean
  /** Further settings of the configuration file; these win. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Further settings of the one cluster. */
  readonly clusterSettings?: Readonly<Record<string, unknown>>
}

export interface TestWorld {
  readonly cluster: StandInCluster
  readonly provider: IdentityProvider
  /** The console's own certificate, which the cluster trusts. */
  readonly identity: KeyPair
  /** Everything the console writes is below it. */
  readonly folder: string
  readonly configFile: string
  readonly publicUrl: string
  readonly port: number
  readonly managementPort: number
  close(): Promise<void>
}

/** Whose roles and projects are what their name says. `guest` has no role. */
export const people = {
  admin: { sub: 'u-admin', name: 'Mika Admin', email: 'mika@example.net', groups: ['incus-admins'] },
  operator: { sub: 'u-operator', name: 'Jo Operator', email: 'jo@example.net', groups: ['incus-operators'] },
  viewer: { sub: 'u-viewer', name: 'Sam Viewer', email: 'sam@example.net', groups: ['staff'] },
  auditor: { sub: 'u-auditor', name: 'Ana Auditor', email: 'ana@example.net', groups: ['audit'] },
  guest: { sub: 'u-guest', name: 'Kim Guest', email: 'kim@example.net', groups: ['visitors'] },
} as const
export type PersonName = keyof typeof people

export const clusterName = 'prod-eu'
export const clientSecret = 'the-secret-of-this-client-of-the-provider'

/** On a busy machine, where everything is one process, silence of this length says nothing about a member. */
export const patientHealth = { lightTimeoutMs: 2_000, phaseTimeoutMs: 2_000, lingerMs: 4_000 }

export async function startTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const { mode = 'bearer', oidc = mode === 'bearer' } = options
  const [port, managementPort] = await Promise.all([freePort(), freePort()])
  const publicUrl = `http://127.0.0.1:${port}`
  const provider = await startIdentityProvider({
    people: Object.values(people),
    console: {
      clientSecret,
      redirectUris: [`${publicUrl}/auth/callback`],
      postLogoutRedirectUris: [`${publicUrl}/sign-in`],
      backchannelLogoutUri: `${publicUrl}/auth/backchannel-logout`,
    },
    ...options.provider,
  })
  const cluster = await startStandInCluster({
    members: options.members ?? 3,
    moveMs: 0,
    ...(oidc && { oidc: { issuer: provider.issuer, audience: provider.audience } }),
    ...options.cluster,
  })
  const identity = selfSigned({ commonName: 'malleus' })
  cluster.trust(identity.certificate, { name: 'malleus' })
  const folder = await mkdtemp(path.join(tmpdir(), 'malleus-app-'))
  const configFile = path.join(folder, 'malleus.yaml')
  const settings = {
    publicUrl,
    listen: `127.0.0.1:${port}`,
    management: `127.0.0.1:${managementPort}`,
    storage: 'sqlite:./var',
    keys: { file: 'keys' },
    oidc: { issuer: provider.issuer, clientId: 'malleus', clientSecret, audience: provider.audience },
    roles: {
      admin: { groups: ['incus-admins'] },
      operator: { groups: ['incus-operators'] },
      viewer: { groups: ['staff'] },
      auditor: { groups: ['audit'] },
    },
    clusters: [
      {
        name: clusterName,
        members: cluster.addresses,
        trust: { fingerprints: [cluster.fingerprint] },
        mode,
        identity: { certificate: 'malleus.crt', key: 'malleus.key', unrestricted: true },
        memberNetworks: ['127.0.0.0/8'],
        memberPorts: cluster.members.map((name) => cluster.port(name)),
        ...options.clusterSettings,
      },
    ],
    // Tests ask as fast as they can, and do not wait long to be noticed.
    limits: { requestsPerSecond: 10_000, requestBurst: 100_000, anonymousPerSecond: 10_000, signInsPerMinute: 10_000 },
    health: { ...patientHealth, lightEveryMs: 200, ejectionMs: 500, ejectionAtMostMs: 1_000 },
    ...options.settings,
  }
  await mkdir(path.join(folder, 'site'))
  await Promise.all([
    writeFile(path.join(folder, 'site', 'index.html'), page),
    // JSON is YAML.
    writeFile(configFile, JSON.stringify(settings, null, 2)),
    writeFile(path.join(folder, 'malleus.crt'), identity.certificate),
    writeFile(path.join(folder, 'malleus.key'), identity.key, { mode: 0o600 }),
  ])
  return {
    cluster,
    provider,
    identity,
    folder,
    configFile,
    publicUrl,
    port,
    managementPort,
    close: async () => {
      await Promise.all([cluster.close(), provider.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const page =
  '<!doctype html><html lang="en"><title>Malleus</title><style nonce="__CSP_NONCE__"></style><script nonce="__CSP_NONCE__"></script></html>'

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
