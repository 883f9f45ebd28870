import { X509Certificate } from 'node:crypto'
import { isAnswering } from '@malleus/shared/domain/health.ts'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import { auditEntry } from '../audit/record.ts'
import { makeIdentity } from '../cli/console-identity.ts'
import type { ConsoleIdentity } from '../clusters/cluster.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { ClusterConfig } from '../config.ts'
import { gatewaySettings } from '../gateway/gateway-settings.ts'
import { Transport } from '../gateway/transport.ts'
import { sleep } from '../lib/clock.ts'
import { openSecret, sealSecret } from '../secrets/seal.ts'
import type { ConsoleIdentityStore, KeptIdentity, SealedIdentity } from '../trust/console-identity-store.ts'
import { sqliteConsoleIdentityStore } from '../trust/console-identity-store.sqlite.ts'
import type { IdentityPair } from '../trust/rotation.ts'
import { IdentityRotation } from '../trust/rotation.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { Storage } from './storage.ts'

/** With which identity a console starts: that of the configuration, or the one that took its place. */
export interface OpenedIdentity {
  readonly inForce: ConsoleIdentity | null
  readonly kept: KeptIdentity | null
  readonly keep: (kept: KeptIdentity) => Promise<void>
  readonly seal: (identity: IdentityPair) => SealedIdentity
  readonly open: (identity: SealedIdentity) => IdentityPair
}

/** Reads what took the place of the configured identity, unless that is another one by now. */
export async function openOwnIdentity(
  { name, identity }: Pick<ClusterConfig, 'name' | 'identity'>,
  { database, keys }: Pick<Storage, 'database' | 'keys'>,
  { clock, random, logger }: Tools,
): Promise<OpenedIdentity> {
  const store: ConsoleIdentityStore = sqliteConsoleIdentityStore(database)
  const configured = identity === null ? '' : fingerprintOf(new X509Certificate(identity.certificate))
  const context = `identity of the console in ${name}`
  const open = ({ certificate, sealedKey }: SealedIdentity): IdentityPair => {
    const key = openSecret(sealedKey, context, keys.server)
    if (key === undefined) throw new Error('the key of the rotated identity cannot be read with this file of keys')
    return { certificate, key }
  }
  const common = {
    keep: (kept: KeptIdentity) => store.write(name, configured, kept, clock.now()),
    seal: ({ certificate, key }: IdentityPair): SealedIdentity => {
      return { certificate, sealedKey: sealSecret(key, context, keys.server, random) }
    },
    open,
  }
  const kept = identity === null ? null : await store.read(name, configured)
  try {
    const rotated = kept === null || kept.current === null ? null : open(kept.current)
    return { ...common, kept, inForce: rotated === null || identity === null ? identity : { ...identity, ...rotated } }
  } catch (error) {
    logger.error(
      { err: error, cluster: name },
      'the rotated identity cannot be used; that of the configuration is tried',
    )
    return { ...common, kept: null, inForce: identity }
  }
}

/** For so long it is waited for requests with the identity before; what still runs then is a list that hangs. */
const mostDrainMs = 15_000

export function createRotation(
  parts: ClusterParts,
  { kept, keep, seal, open }: OpenedIdentity,
  history: Pick<AuditLog, 'intent' | 'outcome'>,
  tools: Tools,
): IdentityRotation {
  const { cluster } = parts
  const { clock, random, logger } = tools
  const entry = (fingerprint: string) => {
    const decision = { allow: true, rule: 'taken-up-again' }
    return auditEntry({ action: 'trust.rotate', cluster: cluster.name, object: fingerprint, decision })
  }
  return new IdentityRotation({
    cluster: cluster.name,
    gateway: cluster.gateway,
    own: () => cluster.identity?.certificate ?? null,
    kept,
    keep,
    seal,
    open,
    make: (name) => makeIdentity(name, clock.now(), random),
    doubts: (identity) => doubtsOf(cluster, identity, tools),
    changeOver: async (identity) => {
      const unrestricted = cluster.identity?.unrestricted ?? false
      await Promise.race([parts.useIdentity({ ...identity, unrestricted }), sleep(clock, mostDrainMs)])
    },
    record: {
      intent: (fingerprint) => history.intent(entry(fingerprint)),
      outcome: (fingerprint, opStatus) => {
        const out = { status: null, op: null, opStatus, bytes: null, ms: null, code: null }
        history.outcome({ ...entry(fingerprint), out })
      },
    },
    clock,
    logger,
  })
}

const Asked = z.object({ metadata: z.object({ auth: z.string() }) })

/** Asks every server that answers, on connections of its own, whether it knows who asks with that identity. */
async function doubtsOf(
  { directory, board, trust, proxyProtocol }: ClusterParts['cluster'],
  identity: IdentityPair,
  { clock }: Tools,
): Promise<readonly string[]> {
  const { limits } = gatewaySettings()
  const transport = new Transport({
    trust,
    identity: { ...identity, unrestricted: false },
    proxyProtocol,
    limits,
    clock,
  })
  try {
    const members = directory.list().filter(({ name, contacted }) => {
      return contacted && isAnswering(board.current(name).standing)
    })
    const answers = await Promise.all(
      members.map(async (member) => {
        const { reply, failure } = await transport.probe({
          member,
          authority: { kind: 'console' },
          path: '/1.0',
          connection: 'new',
          connectTimeoutMs: 1_000,
          tlsTimeoutMs: 1_000,
          answerTimeoutMs: 2_000,
        })
        return { member: member.name, failure, trusts: reply !== null && trusts(reply.body) }
      }),
    )
    if (answers.every(({ failure }) => failure !== null)) throw new Error('No server answered who was to be asked.')
    // Who does not answer hears of it from the cluster database when they are back.
    return answers
      .filter(({ failure, trusts: isTrusted }) => failure === null && !isTrusted)
      .map(({ member }) => `${member} does not know it.`)
  } finally {
    transport.destroy()
  }
}

function trusts(body: Buffer): boolean {
  try {
    return Asked.parse(JSON.parse(body.toString('utf8'))).metadata.auth === 'trusted'
  } catch {
    return false
  }
}
