// The only reader of malleus.yaml and of the environment. Everything is checked at once, and every part is handed its
// own piece; nothing else looks for settings.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseDocument } from 'yaml'
import { type Role, roles } from '@malleus/shared/domain/role.ts'
import { type Endpoint, parseEndpoint } from './clusters/endpoint.ts'
import { type ListenAddress, parseListenAddress } from './config/address.ts'
import { crossMistakes, type Parts, readableParts, warningsOf } from './config/cross-checks.ts'
import { type Mistake, mistakesOf } from './config/mistake.ts'
import type { Limits } from './config/numbers.ts'
import { cannotRead, resolveReferences } from './config/references.ts'
import { Settings } from './config/schema.ts'
import type { HedgingSettings } from './gateway/gateway-settings.ts'
import type { HealthSettings } from './health/health-settings.ts'
import type { Grant } from './policy/policy.ts'

/** The checked configuration: defaults filled in, files read, paths absolute. */
export interface Config {
  /** Scheme, host and port, without a slash at the end. */
  readonly publicUrl: string
  readonly listen: ListenAddress
  /** Both PEM; null for plain HTTP. */
  readonly tls: KeyPair | null
  readonly trustedProxies: readonly string[]
  readonly management: ListenAddress
  readonly storage: { readonly kind: 'sqlite'; readonly folder: string }
  readonly keysFile: string
  readonly oidc: OidcConfig
  readonly grants: readonly Grant[]
  readonly auditReads: 'coalesced' | 'strict'
  readonly auditSinks: readonly AuditSinkConfig[]
  /** In days; null for ever. */
  readonly auditRetention: { readonly console: number | null; readonly incus: number | null }
  readonly clusters: readonly ClusterConfig[]
  readonly health: HealthSettings
  readonly hedging: HedgingSettings
  readonly limits: Limits
  readonly alerts: AlertConfig
  readonly logLevel: string
}

/** Who is told of certificates that end; null for nobody that way. */
export interface AlertConfig {
  readonly webhook: { readonly url: string; readonly token: string | null; readonly ca: string | null } | null
  readonly email: {
    readonly host: string
    readonly port: number
    readonly tls: 'starttls' | 'implicit' | 'none'
    readonly username: string | null
    readonly password: string | null
    readonly from: string
    readonly to: readonly string[]
    readonly ca: string | null
  } | null
}

/** A place that is told what the console signs, and with `records` every record. Certificates are PEM. */
export type AuditSinkConfig = { readonly name: string; readonly records: boolean } & (
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'webhook'; readonly url: string; readonly token: string | null; readonly ca: string | null }
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number; readonly ca: string | null }
)

export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  /** How the console proves to the provider that it is this client. */
  readonly authentication:
    | { readonly kind: 'secret'; readonly secret: string }
    /** PEM. */
    | { readonly kind: 'private-key'; readonly key: string; readonly keyId?: string }
  readonly scopes: readonly string[]
  readonly audience: string | null
  readonly resource: string | null
  /** PEM; null for the authorities of the system. */
  readonly ca: string | null
  readonly groupsClaim: string
}

export interface ClusterConfig {
  readonly name: string
  readonly members: readonly Endpoint[]
  readonly trust:
    | { readonly kind: 'fingerprints'; readonly fingerprints: readonly string[]; readonly follow: boolean }
    | { readonly kind: 'ca'; readonly ca: string; readonly serverName: string }
  readonly mode: 'bearer' | 'certificate'
  readonly audience: string | null
  readonly identity: (KeyPair & { readonly unrestricted: boolean }) | null
  /** Null: exactly the addresses of `members`. */
  readonly memberNetworks: readonly string[] | null
  readonly memberPorts: readonly number[]
  readonly proxyProtocol: boolean
  readonly requestLog: 'auto' | 'on' | 'off'
  readonly accessPaths: Settings['clusters'][number]['accessPaths']
  /** Null: public addresses. */
  readonly probeNetworks: readonly string[] | null
}

/** Where the configuration comes from; the defaults are this process's. */
export interface ConfigSource {
  readonly file: string
  readonly readText?: (path: string) => string
  readonly environment?: Readonly<Record<string, string | undefined>>
}

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }

/**
 * Reads and checks the whole file. Never throws for what somebody wrote: every mistake is in the list, and there is
 * either a configuration or a mistake.
 */
export function loadConfig(source: ConfigSource): Loaded {
  const { file, environment = process.env } = source
  const folder = path.dirname(path.resolve(file))
  const readText = readFrom(folder, source.readText ?? ((name) => readFileSync(name, 'utf8')))

  const parsed = readYaml(path.resolve(file), readText)
  if (!parsed.ok) return parsed
  const { tree, mistakes: unresolved } = resolveReferences(parsed.tree, { readText, environment })
  const settings = Settings.safeParse(tree)
  const wrong = settings.success ? [] : mistakesOf(settings.error, tree)
  const first = [...unresolved, ...explained(wrong, tree, unresolved)]
  const mistakes = [...first, ...notTold(crossMistakes(tree), first)]
  const material = new Material(readText)
  if (!settings.success) {
    inspectFiles(readableParts(tree), material)
    return { ok: false, mistakes: [...mistakes, ...notTold(material.mistakes, mistakes)] }
  }
  const config = configOf(settings.data, folder, material)
  const all = [...mistakes, ...material.mistakes]
  return all.length > 0 ? { ok: false, mistakes: all } : { ok: true, config, warnings: warningsOf(settings.data) }
}

/** The file to read: `--config FILE`, else `MALLEUS_CONFIG`, else `malleus.yaml` where the command was given. */
export function configFile(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return path.resolve(option ?? environment['MALLEUS_CONFIG'] ?? 'malleus.yaml')
}

type Yaml = { readonly ok: true; readonly tree: unknown } | { readonly ok: false; readonly mistakes: Mistake[] }

function readYaml(file: string, readText: (path: string) => string): Yaml {
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    return { ok: false, mistakes: [{ path: '', message: cannotRead(file, error) }] }
  }
  const document = parseDocument(text, { uniqueKeys: true })
  if (document.errors.length > 0) {
    const mistakes = document.errors.map((error) => ({
      path: '',
      message: (error.message.split('\n')[0] ?? '').replace(/:$/, ''),
    }))
    return { ok: false, mistakes }
  }
  const tree: unknown = document.toJS()
  return { ok: true, tree: tree ?? {} }
}

/** Mistakes that were not already told as an unfollowed reference, and PostgreSQL in words of its own. */
function explained(wrong: readonly Mistake[], tree: unknown, unresolved: readonly Mistake[]): Mistake[] {
  const told = new Set(unresolved.map((mistake) => mistake.path))
  return wrong
    .filter((mistake) => !told.has(mistake.path))
    .map((mistake) =>
      mistake.path === 'storage' && namesPostgres(tree) ? { path: 'storage', message: noPostgres } : mistake,
    )
}

const noPostgres = 'PostgreSQL is not supported by this version; expected sqlite: and a folder, such as sqlite:./var'

function namesPostgres(tree: unknown): boolean {
  if (typeof tree !== 'object' || tree === null || !('storage' in tree)) return false
  return typeof tree.storage === 'string' && /^postgres(ql)?:/.test(tree.storage)
}

function readFrom(folder: string, readText: (path: string) => string): (path: string) => string {
  return (name) => readText(path.resolve(folder, name))
}

/** Reads the files that settings name, and notes what is wrong with them. */
class Material {
  readonly mistakes: Mistake[] = []
  readonly #readText: (path: string) => string

  constructor(readText: (path: string) => string) {
    this.#readText = readText
  }

  /** PEM, from a file or, where a reference gave the text itself, as it stands. */
  certificates(value: string, at: string): string {
    return this.#pem(value, at, 'a certificate in PEM form', (text) => new X509Certificate(text))
  }

  privateKey(value: string, at: string): string {
    return this.#pem(value, at, 'a private key in PEM form, without a passphrase', createPrivateKey)
  }

  keyPair(pair: { readonly certificate: string; readonly key: string }, at: string): KeyPair {
    const before = this.mistakes.length
    const certificate = this.certificates(pair.certificate, `${at}.certificate`)
    const key = this.privateKey(pair.key, `${at}.key`)
    if (this.mistakes.length === before && !new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      this.mistakes.push({ path: `${at}.key`, message: 'does not belong to the certificate' })
    }
    return { certificate, key }
  }

  #pem(value: string, at: string, expected: string, parse: (text: string) => unknown): string {
    let text = value
    if (!value.startsWith('-----BEGIN')) {
      try {
        text = this.#readText(value)
      } catch (error) {
        this.mistakes.push({ path: at, message: cannotRead(value, error) })
        return ''
      }
    }
    try {
      parse(text)
    } catch {
      this.mistakes.push({ path: at, message: `expected a file with ${expected}` })
    }
    return text
  }
}

/** What is wrong at places of which nothing was said yet. */
function notTold(mistakes: readonly Mistake[], told: readonly Mistake[]): Mistake[] {
  const places = new Set(told.map((mistake) => mistake.path))
  return mistakes.filter((mistake) => !places.has(mistake.path))
}

/** Looks at every file that can be found in settings which are not whole, so that its mistakes are told with the rest. */
function inspectFiles({ tls, oidc, alerts, clusters = [] }: Parts, material: Material): void {
  if (tls !== undefined) material.keyPair(tls, 'tls')
  if (oidc?.ca !== undefined) material.certificates(oidc.ca, 'oidc.ca')
  if (alerts !== undefined) alertConfig(alerts, material)
  clusters.forEach(({ trust, identity }, index) => {
    if (trust?.ca !== undefined) material.certificates(trust.ca, `clusters[${index}].trust.ca`)
    if (identity !== undefined) material.keyPair(identity, `clusters[${index}].identity`)
  })
}

function configOf(settings: Settings, folder: string, material: Material): Config {
  const storageFolder = path.resolve(folder, settings.storage.slice('sqlite:'.length))
  return {
    publicUrl: new URL(settings.publicUrl).origin,
    listen: listenAddress(settings.listen),
    tls: settings.tls === undefined ? null : material.keyPair(settings.tls, 'tls'),
    trustedProxies: settings.trustedProxies,
    management: listenAddress(settings.management),
    storage: { kind: 'sqlite', folder: storageFolder },
    keysFile: settings.keys === undefined ? path.join(storageFolder, 'keys') : path.resolve(folder, settings.keys.file),
    oidc: oidcConfig(settings.oidc, material),
    grants: grantsOf(settings),
    auditReads: settings.audit.reads,
    auditSinks: settings.audit.sinks.map((sink, index) => auditSink(sink, folder, `audit.sinks[${index}]`, material)),
    auditRetention: {
      console: settings.audit.retention.console ?? null,
      incus: settings.audit.retention.incus ?? null,
    },
    clusters: settings.clusters.map((cluster, index) => clusterConfig(cluster, folder, `clusters[${index}]`, material)),
    health: settings.health,
    hedging: settings.hedging,
    limits: settings.limits,
    alerts: alertConfig(settings.alerts, material),
    logLevel: settings.log.level,
  }
}

function oidcConfig(oidc: Settings['oidc'], material: Material): OidcConfig {
  const { issuer, clientId, scopes, groupsClaim } = oidc
  return {
    issuer,
    clientId,
    authentication: authenticationOf(oidc, material),
    scopes,
    groupsClaim,
    audience: oidc.audience ?? null,
    resource: oidc.resource ?? null,
    ca: oidc.ca === undefined ? null : material.certificates(oidc.ca, 'oidc.ca'),
  }
}

function authenticationOf(
  { clientSecret = '', clientKey, clientKeyId }: Settings['oidc'],
  material: Material,
): OidcConfig['authentication'] {
  if (clientKey === undefined) return { kind: 'secret', secret: clientSecret }
  const key = material.privateKey(clientKey, 'oidc.clientKey')
  return { kind: 'private-key', key, ...(clientKeyId !== undefined && { keyId: clientKeyId }) }
}

function alertConfig({ webhook, email }: Settings['alerts'], material: Material): AlertConfig {
  const authorities = (ca: string | undefined, at: string) => (ca === undefined ? null : material.certificates(ca, at))
  return {
    webhook:
      webhook === undefined
        ? null
        : { url: webhook.url, token: webhook.token ?? null, ca: authorities(webhook.ca, 'alerts.webhook.ca') },
    email:
      email === undefined
        ? null
        : {
            ...email,
            username: email.username ?? null,
            password: email.password ?? null,
            ca: authorities(email.ca, 'alerts.email.ca'),
          },
  }
}

function auditSink(
  sink: Settings['audit']['sinks'][number],
  folder: string,
  at: string,
  material: Material,
): AuditSinkConfig {
  const { name, records } = sink
  if (sink.kind === 'file') return { name, records, kind: 'file', path: path.resolve(folder, sink.path) }
  const ca = sink.ca === undefined ? null : material.certificates(sink.ca, `${at}.ca`)
  if (sink.kind === 'webhook') return { name, records, kind: 'webhook', url: sink.url, token: sink.token ?? null, ca }
  return { name, records, kind: 'syslog', ...parseEndpoint(sink.address), ca }
}

function grantsOf(settings: Settings): Grant[] {
  return roles.flatMap((role: Role) =>
    settings.roles[role].map(({ groups, clusters, projects }) => ({
      role,
      groups,
      clusters: clusters ?? 'all',
      projects: projects ?? 'all',
    })),
  )
}

function clusterConfig(
  cluster: Settings['clusters'][number],
  folder: string,
  at: string,
  material: Material,
): ClusterConfig {
  const members = cluster.members.map(parseEndpoint)
  return {
    name: cluster.name,
    members,
    trust: trustConfig(cluster.trust, `${at}.trust`, material),
    mode: cluster.mode,
    audience: cluster.audience ?? null,
    identity:
      cluster.identity === undefined
        ? null
        : { ...material.keyPair(cluster.identity, `${at}.identity`), unrestricted: cluster.identity.unrestricted },
    memberNetworks: cluster.memberNetworks ?? null,
    memberPorts: cluster.memberPorts ?? [...new Set(members.map((member) => member.port))],
    proxyProtocol: cluster.proxyProtocol,
    requestLog: cluster.requestLog,
    accessPaths: cluster.accessPaths.map((each) =>
      each.kind === 'local' ? { ...each, socket: path.resolve(folder, each.socket) } : each,
    ),
    probeNetworks: cluster.probeNetworks ?? null,
  }
}

function trustConfig(
  trust: Settings['clusters'][number]['trust'],
  at: string,
  material: Material,
): ClusterConfig['trust'] {
  const { fingerprints, ca = '', serverName = '', follow } = trust
  if (fingerprints === undefined)
    return { kind: 'ca', ca: ca === '' ? '' : material.certificates(ca, `${at}.ca`), serverName }
  const normalised = fingerprints.map((fingerprint) => fingerprint.replaceAll(':', '').toLowerCase())
  return { kind: 'fingerprints', fingerprints: normalised, follow }
}

function listenAddress(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address === undefined) throw new TypeError(`${text} was not checked`)
  return address
}
