import { X509Certificate } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { auditEntry } from '../audit/record.ts'
import type { AuditEntry } from '../audit/record.ts'
import { describeCertificate } from '../certificates/parse-certificate.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { ClusterIngest } from '../ingest/cluster-ingest.ts'
import { LastTold } from '../lists/last-told.ts'
import type { SettingPorts } from '../trust/change-setting.ts'
import type { TokenPorts } from '../trust/change-tokens.ts'
import { sqliteGivenTokenStore } from '../trust/given-token-store.sqlite.ts'
import type { GivenToken } from '../trust/given-token-store.ts'
import { GivenTokens } from '../trust/given-tokens.ts'
import type { WithdrawalOutcome } from '../trust/given-tokens.ts'
import { PendingTokens } from '../trust/pending-tokens.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import { lossOf } from './cluster-parts.ts'
import { createServerConfig, maskOf } from './cluster-settings.ts'
import type { OpenedIdentity } from './own-identity.ts'
import { createRotation } from './own-identity.ts'
import type { Storage } from './storage.ts'

/** Whom one cluster trusts, for its routes; with what goes on by itself. */
export interface ClusterTrust {
  readonly ports: Omit<TokenPorts & SettingPorts, 'uses'>
  start(): void
  stop(): void
}

/** So many people's views of the tokens of a cluster are remembered. */
const mostViews = 200

export function createClusterTrust(
  parts: ClusterParts,
  identity: OpenedIdentity,
  { database, history, keys }: Pick<Storage, 'database' | 'history' | 'keys'>,
  tools: Tools,
): ClusterTrust {
  const { cluster, readings } = parts
  const { name, mode, gateway, directory } = cluster
  const rotation = createRotation(parts, identity, history, tools)
  const given = new GivenTokens({
    cluster: name,
    gateway,
    directory,
    store: sqliteGivenTokenStore(database),
    record: {
      intent: (token) => history.intent(withdrawal(token, null)),
      outcome: (token, outcome) => history.outcome(withdrawal(token, outcome)),
    },
    ...tools,
  })
  const settings = createServerConfig(parts, maskOf(keys.hmac), tools.clock)
  const loss = () => lossOf(parts)
  const views = new LRUCache<string, PendingTokens>({ max: mostViews })

  function cannotWithdraw(): string | null {
    if (cluster.identity === null) {
      return 'This console has no identity of its own in the cluster with which it would withdraw a token.'
    }
    const { value } = readings.identity
    if (value === null) return "It is not known yet whether the console's own identity may withdraw a token."
    return value.restricted === true ? "The console's own identity is restricted and may withdraw no token." : null
  }

  return {
    ports: {
      cluster: name,
      mode,
      gateway,
      directory,
      own: () => (cluster.identity === null ? null : fingerprintOf(new X509Certificate(cluster.identity.certificate))),
      describe: describeCertificate,
      told: new LastTold({ loss, clock: tools.clock }),
      tokens: (scope) => {
        const key = scopeKey(scope)
        const view = views.get(key) ?? new PendingTokens({ gateway, known: (id) => given.of(id), loss, ...tools })
        views.set(key, view)
        return view
      },
      cannotWithdraw,
      configure: async (scope, { key, from, to }, signal) => {
        const wanted = { settings: { [key]: to === '' ? null : to }, shown: { [key]: from } }
        return (await settings.change(scope, { ...wanted, ...(signal && { signal }) })).answer
      },
      given,
      rotation,
      clock: tools.clock,
    },
    start: () => {
      rotation.start()
      given.start().catch((error: unknown) => {
        tools.logger.error({ err: error, cluster: name }, 'tokens that were promised to be withdrawn are not known')
      })
    },
    stop: () => {
      rotation.stop()
      given.stop()
    },
  }
}

/** The console does it by itself, as it promised to the person who made the token. */
function withdrawal(token: GivenToken, outcome: WithdrawalOutcome | null): AuditEntry {
  const { cluster, name, operation } = token
  const decision = { allow: true, rule: 'withdrawn-as-promised' }
  const out = { status: null, op: operation, opStatus: outcome, bytes: null, ms: null, code: null }
  return auditEntry({ action: 'trust.withdraw', cluster, object: name, decision, out: outcome === null ? null : out })
}

/** Uses of certificates, of all that the request log of the servers tells. */
export function usesOf(ingest: Pick<ClusterIngest, 'lastUse' | 'useCollection'>): TokenPorts['uses'] {
  return {
    last: (fingerprint) => ingest.lastUse('tls', fingerprint),
    get collection() {
      return ingest.useCollection
    },
  }
}
