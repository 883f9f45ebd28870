// The same cluster twice: the stand-in, and real Incus members. Each has the same names, instances and provider, and can
// be asked and broken in the same words.

import { existsSync, readFileSync } from 'node:fs'
import { selfSigned } from '@malleus/server/testing/certificate-authority.ts'
import type { KeyPair } from '@malleus/server/testing/certificate-authority.ts'
import { startIdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import type { IdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import { startStandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'
import { ask } from '@malleus/server/testing/stand-in/test-client.ts'
import type { Answer, Question } from '@malleus/server/testing/stand-in/test-client.ts'
import { missingFrom } from '../lab/machine.ts'
import { startLab } from '../lab/start-lab.ts'

export interface World {
  /** How it is called in a failure. */
  readonly name: 'Incus' | 'the stand-in'
  /** `host:port` of a member. */
  address(member: string): string
  /** A certificate the cluster trusts. */
  readonly client: KeyPair
  /** Puts a question to a member as that client. Default: server1. */
  ask(path: string, question?: Question & { of?: string }): Promise<Answer>
  trustToken(name: string, options?: { restricted?: boolean; projects?: readonly string[] }): Promise<string>
  /** SIGKILL. */
  kill(member: string): Promise<void>
  /** SIGSTOP. */
  stop(member: string): Promise<void>
  mend(member: string): Promise<void>
}

export interface Worlds {
  readonly incus: World
  readonly standIn: World
  readonly provider: IdentityProvider
  close(): Promise<void>
}

export const memberNames = ['server1', 'server2', 'server3'] as const

/** Seconds; the least Incus takes. */
const offlineThresholdSeconds = 11

/** One container on each of the last two members. */
const instances = [
  { name: 'c2', location: 'server2' },
  { name: 'c3', location: 'server3' },
] as const

/** Why there can be no real cluster on this machine; undefined when there can. */
export function whyNoIncus(): string | undefined {
  const missing = missingFrom({
    platform: process.platform,
    uid: process.getuid?.(),
    filesystems: process.platform === 'linux' ? readFileSync('/proc/filesystems', 'utf8') : '',
    exists: existsSync,
  })
  return missing.length === 0 ? undefined : missing.join('; ')
}

/** Both, with server1 leading the database. */
export async function openWorlds(): Promise<Worlds> {
  const lab = await startLab({
    name: `conformance-${process.pid}`,
    members: memberNames.length,
    provider: 'none',
    offlineThresholdSeconds,
  })
  try {
    const provider = await startIdentityProvider({
      host: lab.hostAddress,
      people: [{ name: 'Ada', email: 'ada@example.test', groups: [], sub: 'ada' }],
    })
    const { issuer } = provider
    await lab.trustProvider({ issuer, audience: 'incus', clientId: 'incus' })
    for (const { name, location } of instances) await lab.launch(name, { target: location })
    const standIn = await startStandInCluster({
      members: memberNames,
      oidc: { issuer },
      instances,
      projects: [],
      offlineThresholdMs: offlineThresholdSeconds * 1_000,
      moveMs: 100,
    })
    const client = selfSigned({ commonName: 'conformance', usages: ['client'] })
    const labAddress = (name: string): string => {
      const member = lab.members.find((candidate) => candidate.name === name)
      return `${member?.address}:${member?.port}`
    }
    const worlds: Worlds = {
      incus: {
        name: 'Incus',
        client,
        address: labAddress,
        ask: asker(labAddress, client),
        trustToken: (name, options) => lab.trustToken(name, options),
        kill: (name) => lab.break(name, 'killed'),
        stop: (name) => lab.break(name, 'stuck'),
        mend: (name) => lab.mend(name),
      },
      standIn: {
        name: 'the stand-in',
        client,
        address: (name) => standIn.address(name),
        ask: asker((name) => standIn.address(name), client),
        trustToken: async (name, options) => standIn.trustToken(name, options),
        kill: (name) => standIn.break(name, 'refusing'),
        stop: (name) => standIn.break(name, 'stuck'),
        mend: (name) => standIn.mend(name),
      },
      provider,
      close: async () => {
        await standIn.close()
        await provider.close()
        await lab.down()
      },
    }
    for (const world of [worlds.incus, worlds.standIn]) await introduce(world)
    return worlds
  } catch (error) {
    await lab.down()
    throw error
  }
}

/** The client becomes one the cluster trusts, the way a console does. */
async function introduce(world: World): Promise<void> {
  const token = await world.trustToken('conformance')
  const answer = await world.ask('/1.0/certificates', { method: 'POST', body: { type: 'client', trust_token: token } })
  if (answer.status !== 201) throw new Error(`${world.name} did not take the token: ${answer.error}`)
}

function asker(address: (name: string) => string, client: KeyPair): World['ask'] {
  return (path, { of = 'server1', ...question } = {}) =>
    ask(address(of), path, { client, patienceMs: 30_000, ...question })
}
