import type { IdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import { startIdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import type { StandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'
import type { StandInClusterOptions } from '@malleus/server/testing/stand-in/options.ts'
import { startStandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'
import { freePort } from './free-port.ts'
import type { ConsoleAddress, Fault, World } from './world.ts'
import { faults, isFault, people } from './world.ts'

export interface StandInWorldOptions {
  readonly address: ConsoleAddress
  readonly members: number
  /** How many per member, or which. Default: 12. */
  readonly instances?: StandInClusterOptions['instances']
}

/** Members of our own and their provider, within reach of whoever started them. */
export interface StandInWorld extends World {
  readonly cluster: StandInCluster
  readonly identityProvider: IdentityProvider
}

/** Members of our own over real TLS, and a provider, all in this process and on loopback. Runs wherever Node does. */
export async function startStandInWorld({
  address,
  members,
  instances = 12,
}: StandInWorldOptions): Promise<StandInWorld> {
  const console = {
    clientId: 'malleus',
    clientSecret: 'malleus-demo-secret',
    redirectUris: [address.redirectUri],
    postLogoutRedirectUris: [address.postLogoutRedirectUri],
    backchannelLogoutUri: address.backchannelLogoutUri,
  }
  const port = await freePort(9480)
  const provider = await startIdentityProvider({ publicHost: 'localhost', port, people, console })
  const names = Array.from({ length: members }, (_, at) => `server${at + 1}`)
  const cluster = await startStandInCluster({
    members: names,
    version: '7.0.2',
    instances,
    moveMs: 1_000,
    answerMs: 2,
    groups: { edge: names.slice(0, 2), data: names.slice(2) },
    failureDomains: Object.fromEntries(names.map((name, at) => [name, `rack${(at % 3) + 1}`])),
    oidc: { issuer: provider.issuer, audience: provider.audience },
  })
  return {
    cluster,
    identityProvider: provider,
    description: `${members} stand-in members`,
    members: names,
    faults: Object.keys(faults).filter(isFault),
    provider: {
      issuer: provider.issuer,
      clientId: console.clientId,
      clientSecret: console.clientSecret,
      audience: provider.audience,
    },
    trustToken: async (name) => cluster.trustToken(name),
    break: (member, fault) => cluster.break(member, fault),
    mend: (member) => cluster.mend(member),
    broken: () => brokenIn(names, (member) => cluster.faultOf(member)),
    close: async () => {
      await cluster.close()
      await provider.close()
    },
  }
}

function brokenIn(
  names: readonly string[],
  faultOf: (member: string) => string | undefined,
): ReadonlyMap<string, Fault> {
  const broken = new Map<string, Fault>()
  for (const name of names) {
    const fault = faultOf(name)
    if (fault !== undefined && isFault(fault)) broken.set(name, fault)
  }
  return broken
}
