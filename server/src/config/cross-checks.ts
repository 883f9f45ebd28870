import { z } from 'zod'
import { isLoopback, parseListenAddress } from './address.ts'
import type { Mistake } from './mistake.ts'
import { ClusterSetting, Settings } from './schema.ts'

/**
 * Mistakes between settings that are each right by themselves. Takes the unparsed tree and looks at whatever parts of
 * it can be read, so that these are listed together with all others.
 */
export function crossMistakes(tree: unknown): Mistake[] {
  const parts = readableParts(tree)
  return [
    ...plainHttp(parts),
    ...listeners(parts),
    ...scopes(parts),
    ...clientAuthentication(parts),
    ...alertSinks(parts),
    ...clusterNames(parts),
    ...sinkNames(parts),
    ...trustOfClusters(parts),
    ...identities(parts),
    ...grantedClusters(parts),
  ]
}

/** What is right, and weaker than it should be. */
export function warningsOf(settings: Settings): string[] {
  const warnings: string[] = []
  if (settings.oidc.issuer.startsWith('http:')) {
    warnings.push(
      'oidc.issuer: DANGEROUS: sign-in goes over plain HTTP. It is accepted because the provider is on this machine; anybody who can listen here can become anybody.',
    )
  }
  if (Object.values(settings.roles).every((grants) => grants.length === 0)) {
    warnings.push('roles: there are none, so nobody may do anything.')
  }
  settings.clusters.forEach((cluster, index) => {
    if (cluster.identity === undefined) {
      warnings.push(
        `clusters[${index}].identity: there is none, so ${cluster.name} is not asked for its servers in the background; \`malleus add-cluster\` makes one.`,
      )
    }
  })
  return warnings
}

type Cluster = Settings['clusters'][number]

/** Whatever can be read of the settings, each by itself. Clusters keep their places, with what can be read of each. */
export interface Parts extends Readable<Omit<Settings, 'clusters' | 'oidc'>> {
  readonly oidc?: Readable<Settings['oidc']>
  readonly clusters?: readonly Readable<Cluster>[]
}

type Readable<Whole> = { readonly [Key in keyof Whole]?: Whole[Key] | undefined }

export function readableParts(tree: unknown): Parts {
  const { clusters, oidc } = Object.fromEntries(entriesOf(tree))
  const { clusters: _clusters, oidc: _oidc, ...rest } = readable<Settings>(Settings.shape, tree)
  return {
    ...rest,
    ...(oidc === undefined ? {} : { oidc: readable<Settings['oidc']>(fieldsOf(Settings.shape.oidc), oidc) }),
    ...(Array.isArray(clusters)
      ? { clusters: clusters.map((cluster: unknown) => readable<Cluster>(ClusterSetting.shape, cluster)) }
      : {}),
  }
}

/** The fields that their own schemas take; the rest is missing, and told as a mistake of its own. */
function readable<Whole>(shape: Readonly<Record<string, z.ZodType>>, tree: unknown): Readable<Whole> {
  const raw = new Map(entriesOf(tree))
  const found = Object.entries(shape).flatMap(([key, schema]) => {
    const parsed = schema.safeParse(raw.get(key))
    return parsed.success ? [[key, parsed.data] as const] : []
  })
  // Each field was read by the schema that the type is made from.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(found) as Readable<Whole>
}

function entriesOf(tree: unknown): [string, unknown][] {
  return typeof tree === 'object' && tree !== null ? Object.entries(tree) : []
}

function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {}
}

function plainHttp({ publicUrl, listen, tls, trustedProxies, oidc }: Parts): Mistake[] {
  const mistakes: Mistake[] = []
  const address = listen === undefined ? undefined : parseListenAddress(listen)
  if (address !== undefined && tls === undefined && !isLoopback(address.host) && trustedProxies?.length === 0) {
    mistakes.push({
      path: 'tls',
      message: `is missing: the console listens on ${listen}, and speaks plain HTTP only on loopback or behind trustedProxies`,
    })
  }
  if (publicUrl?.startsWith('http:') && !isLoopback(new URL(publicUrl).hostname)) {
    mistakes.push({ path: 'publicUrl', message: 'has to be https; plain http works on loopback only' })
  }
  if (oidc?.issuer?.startsWith('http:') && !isLoopback(new URL(oidc.issuer).hostname)) {
    mistakes.push({
      path: 'oidc.issuer',
      message: 'has to be https; a provider over plain http is accepted on loopback only',
    })
  }
  return mistakes
}

function listeners({ listen, management }: Parts): Mistake[] {
  if (listen === undefined || listen !== management || listen.endsWith(':0')) return []
  return [{ path: 'management', message: 'has to be another address than listen' }]
}

function scopes({ oidc }: Parts): Mistake[] {
  if (oidc?.scopes === undefined || oidc.scopes.includes('openid')) return []
  return [{ path: 'oidc.scopes', message: 'has to include openid' }]
}

function clientAuthentication({ oidc }: Parts): Mistake[] {
  if (oidc === undefined) return []
  if (oidc.clientSecret !== undefined && oidc.clientKey !== undefined) {
    return [{ path: 'oidc', message: 'expected clientSecret or clientKey, not both' }]
  }
  if (oidc.clientSecret === undefined && oidc.clientKey === undefined) {
    return [{ path: 'oidc.clientSecret', message: 'is missing; expected the secret of this client, or a clientKey' }]
  }
  return []
}

function alertSinks({ alerts }: Parts): Mistake[] {
  const { webhook, email } = alerts ?? {}
  const url = webhook === undefined ? null : URL.parse(webhook.url)
  return [
    ...(url?.protocol === 'http:' && !isLoopback(url.hostname)
      ? [{ path: 'alerts.webhook.url', message: 'expected https; only this machine itself may be told in the clear' }]
      : []),
    ...(email?.tls === 'none' && !isLoopback(email.host)
      ? [{ path: 'alerts.email.tls', message: 'expected starttls or implicit: none is for this machine itself only' }]
      : []),
    ...(email !== undefined && (email.username === undefined) !== (email.password === undefined)
      ? [{ path: 'alerts.email', message: 'expected username and password, or neither' }]
      : []),
  ]
}

function clusterNames({ clusters = [] }: Parts): Mistake[] {
  return [
    ...repeated(clusters.map(({ name }) => name)).map((index) => ({
      path: `clusters[${index}].name`,
      message: `is the name of another cluster already`,
    })),
    ...clusters.flatMap((cluster, at) =>
      repeated((cluster.accessPaths ?? []).map((path) => path.name)).map((index) => ({
        path: `clusters[${at}].accessPaths[${index}].name`,
        message: 'is the name of another access path already',
      })),
    ),
  ]
}

function sinkNames({ audit }: Parts): Mistake[] {
  return repeated((audit?.sinks ?? []).map(({ name }) => name)).map((index) => ({
    path: `audit.sinks[${index}].name`,
    message: 'is the name of another sink already',
  }))
}

function trustOfClusters({ clusters = [] }: Parts): Mistake[] {
  return clusters.flatMap(({ trust }, index) => {
    if (trust === undefined) return []
    const path = `clusters[${index}].trust`
    const byAuthority = trust.ca !== undefined || trust.serverName !== undefined
    if (trust.fingerprints !== undefined && byAuthority) {
      return [{ path, message: 'expected fingerprints, or ca and serverName, not both' }]
    }
    if (trust.fingerprints !== undefined) return []
    if (trust.ca === undefined) return [{ path, message: 'expected fingerprints, or ca and serverName' }]
    if (trust.serverName === undefined) {
      return [
        { path: `${path}.serverName`, message: 'is missing; an authority vouches for many names, so one is needed' },
      ]
    }
    return []
  })
}

function identities({ clusters = [] }: Parts): Mistake[] {
  return clusters.flatMap((cluster, index) => {
    if (cluster.mode !== 'certificate' || cluster.identity !== undefined) return []
    return [
      {
        path: `clusters[${index}].identity`,
        message: "is missing: in certificate mode it carries people's requests; `malleus add-cluster` makes one",
      },
    ]
  })
}

function grantedClusters({ roles, clusters }: Parts): Mistake[] {
  if (roles === undefined || clusters === undefined) return []
  const names = new Set(clusters.map((cluster) => cluster.name))
  return Object.entries(roles).flatMap(([role, grants]) =>
    grants.flatMap((grant, at) =>
      (grant.clusters ?? []).flatMap((name, index) => {
        if (names.has(name)) return []
        const where = grants.length === 1 ? `roles.${role}` : `roles.${role}[${at}]`
        return [{ path: `${where}.clusters[${index}]`, message: `"${name}" is not one of the clusters below` }]
      }),
    ),
  )
}

/** Positions whose value stands further up already. */
function repeated(values: readonly (string | undefined)[]): number[] {
  return values.flatMap((value, index) => (value !== undefined && values.indexOf(value) < index ? [index] : []))
}
