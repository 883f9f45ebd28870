import { createCertificateAuthority } from '@malleus/server/testing/certificate-authority.ts'
import type { IdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import { startIdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import type { Lab } from '../lab/running-lab.ts'
import { removeLab } from '../lab/remove-lab.ts'
import { startLab } from '../lab/start-lab.ts'
import type { Fault as LabFault } from '../lab/state-directory.ts'
import type { ConsoleAddress, Fault, World } from './world.ts'
import { faults, isFault, people } from './world.ts'

export interface RealWorldOptions {
  readonly address: ConsoleAddress
  /** Name of the lab; one that was left behind under it is cleared away. */
  readonly name: string
  readonly members: number
  readonly offlineThresholdSeconds?: number
  readonly say?: (line: string) => void
}

/** A real Incus cluster in network namespaces, with the provider in this process so that it can be taken down too. */
export interface RealWorld extends World {
  readonly lab: Lab
  readonly identityProvider: IdentityProvider
}

export async function startRealWorld(options: RealWorldOptions): Promise<RealWorld> {
  const { address, name, members, say } = options
  const authority = createCertificateAuthority('Malleus lab')
  await removeLab({ name })
  const lab = await startLab({
    name,
    members,
    provider: 'none',
    trustedAuthorities: [authority.certificate],
    ...(options.offlineThresholdSeconds === undefined
      ? {}
      : { offlineThresholdSeconds: options.offlineThresholdSeconds }),
    ...(say === undefined ? {} : { told: say }),
  })
  try {
    return await believeProvider(lab, authority, address)
  } catch (error) {
    await lab.down()
    throw error
  }
}

async function believeProvider(
  lab: Lab,
  authority: ReturnType<typeof createCertificateAuthority>,
  address: ConsoleAddress,
): Promise<RealWorld> {
  const console = {
    clientId: 'malleus',
    clientSecret: 'malleus-demo-secret',
    redirectUris: [address.redirectUri],
    postLogoutRedirectUris: [address.postLogoutRedirectUri],
    backchannelLogoutUri: address.backchannelLogoutUri,
  }
  const host = lab.hostAddress
  const tls = authority.issue({ commonName: 'identity provider', names: [host], usages: ['server'] })
  const provider = await startIdentityProvider({ host, port: 9443, tls, people, console })
  await lab.trustProvider({ issuer: provider.issuer, audience: provider.audience, clientId: 'incus' })
  const names = lab.members.map((member) => member.name)
  return {
    lab,
    identityProvider: provider,
    description: `${names.length} real Incus servers`,
    members: names,
    faults: Object.keys(faults).filter(isFault),
    provider: {
      issuer: provider.issuer,
      clientId: console.clientId,
      clientSecret: console.clientSecret,
      audience: provider.audience,
      ca: authority.certificate,
    },
    trustToken: (client) => lab.trustToken(client),
    break: (member, fault) => lab.break(member, labFault(fault)),
    mend: (member) => lab.mend(member),
    broken: () => brokenIn(lab, names),
    close: async () => {
      await provider.close()
      await lab.down()
    },
  }
}

/** The lab names what it does, the demo what it looks like. */
function labFault(fault: Fault): LabFault {
  return fault === 'refusing' ? 'killed' : fault
}

function brokenIn(lab: Lab, names: readonly string[]): ReadonlyMap<string, Fault> {
  const broken = new Map<string, Fault>()
  for (const name of names) {
    const fault = lab.fault(name)?.fault
    if (fault === undefined) continue
    broken.set(name, fault === 'killed' ? 'refusing' : fault === 'black-hole' ? 'cut-off' : fault)
  }
  return broken
}
