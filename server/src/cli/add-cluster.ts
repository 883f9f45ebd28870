import path from 'node:path'
import { stringify } from 'yaml'
import { Name } from '@malleus/shared/domain/name.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { makeIdentity, writeIdentity } from './console-identity.ts'
import { type RedeemedCluster, redeemToken } from './redeem.ts'
import { parseTrustToken, type TrustToken } from './trust-token.ts'

export interface AddCluster {
  /** What was pasted. */
  readonly token: string
  /** What the cluster will be called in the console. */
  readonly name: string
  /** Where malleus.yaml is, or will be; the identity files are put beside it. */
  readonly configFile: string
  readonly mode?: 'bearer' | 'certificate'
}

export interface AddClusterWorld {
  readonly clock: Clock
  readonly random: Random
  /** Says what is going on. */
  readonly tell: (sentence: string) => void
}

/**
 * Makes the console known to a cluster with one token, and gives the YAML that adds it to malleus.yaml. The token can
 * be used once, so all that can fail before is done before; and when it fails afterwards, no file is left behind.
 *
 * @throws CliError for each way it can fail.
 */
export async function addCluster(wanted: AddCluster, { clock, random, tell }: AddClusterWorld): Promise<string> {
  if (!Name.safeParse(wanted.name).success) {
    throw new CliError(
      exitCodes.usage,
      `"${wanted.name}" is not a name: letters, digits, dots and hyphens, at most 64.`,
    )
  }
  const token = parseTrustToken(wanted.token, clock.now())
  const identity = makeIdentity(token.clientName, clock.now(), random)
  const files = await writeIdentity(identity, path.join(path.dirname(wanted.configFile), wanted.name))
  tell(`Made a key and a certificate: ${files.certificate}, ${files.key}`)
  try {
    const cluster = await redeemToken(token, identity, clock)
    tell(`${formatEndpoint(cluster.via)} took the token, and the cluster trusts the console now.`)
    return describeCluster(wanted, token, cluster)
  } catch (error) {
    await files.discard()
    throw error
  }
}

/** The piece of malleus.yaml, with what there is to know about it as comments. */
function describeCluster({ name, mode }: AddCluster, token: TrustToken, cluster: RedeemedCluster): string {
  const chosen = mode ?? (cluster.takesTokens ? 'bearer' : 'certificate')
  const yaml = stringify(
    [
      {
        name,
        members: cluster.members.map(formatEndpoint),
        trust: { fingerprints: [token.fingerprint] },
        mode: chosen,
        identity: {
          certificate: `${name}.crt`,
          key: `${name}.key`,
          ...(!cluster.restricted && { unrestricted: true }),
        },
      },
    ],
    { indentSeq: false, lineWidth: 0 },
  )
  return [
    '# Add this to `clusters:` in malleus.yaml.',
    ...(mode === undefined ? [modeComment(chosen)] : []),
    ...(cluster.restricted ? [] : [unrestrictedComment]),
    yaml,
  ].join('\n')
}

function modeComment(mode: 'bearer' | 'certificate'): string {
  return mode === 'bearer'
    ? '# mode: the cluster takes tokens of an identity provider, so Incus can authorize each person by their own.'
    : '# mode: the cluster has no OpenID Connect, so the console decides by its own roles and acts with its certificate.'
}

const unrestrictedComment =
  '# unrestricted: Incus does not restrict this certificate to projects: its key is as good as root on every server.\n' +
  '# To use one that is restricted, make the token with: incus config trust add malleus --restricted --projects …'
