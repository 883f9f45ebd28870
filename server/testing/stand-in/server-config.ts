import { createHash } from 'node:crypto'
import { z } from 'zod'
import { acmeChanged, orderCertificate } from './acme.ts'
import { execute, requestorOf } from './call.ts'
import type { Call } from './call.ts'
import type { ClusterState } from './cluster-state.ts'
import type { Member } from './member.ts'
import { answersWithin } from './reach.ts'
import { done, IncusError } from './replies.ts'
import type { Reply } from './replies.ts'
import { parseBody } from './request-body.ts'

const localKeys: ReadonlySet<string> = new Set([
  'cluster.https_address',
  'core.bgp_address',
  'core.dns_address',
  'core.https_address',
  'core.metrics_address',
  'core.storage_buckets_address',
])

const families =
  /^(acme|cluster|core|oidc|openfga|authorization|logging|loki|images|instances|network|storage|backups)\.[a-z0-9_.-]+$/

/** What is in force by itself is not shown when it is set, as in Incus. */
const defaults: Readonly<Record<string, string>> = {
  'acme.agree_tos': 'false',
  'acme.ca_url': 'https://acme-v02.api.letsencrypt.org/directory',
  'acme.challenge': 'HTTP-01',
  'acme.http.port': ':80',
  'core.metrics_authentication': 'true',
}

/** The settings of a member as it shows them: its own, and the cluster's. */
export function configOf(state: ClusterState, member: Member): Record<string, string> {
  const { settings } = state
  const all: Record<string, string> = {
    'cluster.https_address': member.address,
    'core.https_address': member.address,
    ...(settings.withOidc
      ? {
          'oidc.audience': settings.oidc.audience,
          'oidc.client.id': settings.oidc.clientId,
          'oidc.issuer': settings.oidc.issuer,
        }
      : {}),
    ...(settings.offlineThresholdMs >= 11_000 && settings.offlineThresholdMs !== 20_000
      ? { 'cluster.offline_threshold': String(Math.round(settings.offlineThresholdMs / 1000)) }
      : {}),
    ...state.config,
    ...member.config,
  }
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => value !== '' && value !== defaults[key]))
}

const Settings = z.object({ config: z.record(z.string(), z.string()) })

/**
 * Writes settings as Incus does: it stores, tells the other members, and only then does what follows from them; an order
 * of a certificate takes place within the request. What fails is taken back, and up to 6.0.5 it is taken back to what the
 * request held and nothing else, so that a PATCH erases all that it did not name (incus v6.0.4 `doApi10Update`).
 */
export async function writeSettings(call: Call): Promise<Reply> {
  const { state, via } = call
  const wanted = parseBody(Settings, call.body).config
  const before = configOf(state, via)
  const isPatch = call.method === 'PATCH'
  if (!isPatch) refuseOutdated(call, before)
  const after = isPatch ? { ...before, ...wanted } : wanted
  if ((after['cluster.https_address'] ?? '') !== (before['cluster.https_address'] ?? '')) {
    throw new IncusError(500, 'Changing cluster.https_address is currently not supported')
  }
  execute(call, 'server.configure', via)
  const takeBack = (): void => {
    const kept = state.settings.seven ? Object.keys({ ...before, ...wanted }) : Object.keys(wanted)
    store(state, via, Object.fromEntries(kept.map((key) => [key, before[key] ?? ''])))
  }
  for (const [key, value] of Object.entries(wanted)) {
    const why = whyNot(state, key, value)
    if (why === null) continue
    takeBack()
    throw new IncusError(400, `cannot set '${key}' to '${value}': ${why}`)
  }
  store(state, via, after)
  for (const member of state.members) {
    if (!state.isOffline(member, via)) await answersWithin(call, member, undefined)
  }
  if (acmeChanged({ ...before, ...state.stored }, configOf(state, via))) {
    const failure = await orderCertificate(call)
    if (failure !== null) {
      // What is stored is as it was; what the members show until they start again is not (measured on 6.0.4).
      state.stored ??= Object.fromEntries(Object.keys(wanted).map((key) => [key, before[key] ?? '']))
      throw new IncusError(500, failure)
    }
  }
  state.stored = null
  const requestor = requestorOf(call)
  call.events.lifecycle({
    action: 'config-updated',
    source: '/1.0',
    location: via,
    ...(requestor === undefined ? {} : { requestor }),
  })
  return done
}

/** Over what a member answers with: the tag of its settings. */
export function etagOfConfig(config: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}

function refuseOutdated(call: Call, config: Readonly<Record<string, string>>): void {
  const known = etagOfConfig(config)
  const wanted = call.ifMatch?.replaceAll('"', '') ?? ''
  if (wanted !== '' && wanted !== known) throw new IncusError(412, `ETag doesn't match: ${known} vs ${wanted}`)
}

/** What is not named is not set any more. */
function store(state: ClusterState, member: Member, all: Readonly<Record<string, string>>): void {
  const names = new Set([...Object.keys(configOf(state, member)), ...Object.keys(all)])
  for (const name of names) {
    const place = localKeys.has(name) ? member.config : state.config
    place[name] = all[name] ?? ''
  }
}

function whyNot(state: ClusterState, key: string, value: string): string | null {
  if (key.startsWith('user.')) return null
  if (!families.test(key)) return 'unknown key'
  if (key.startsWith('acme.eab.') && !state.settings.seven) return 'unknown key'
  if (key === 'cluster.offline_threshold' && value !== '' && Number(value) <= 10) {
    return "Value must be greater than '10'"
  }
  return null
}
