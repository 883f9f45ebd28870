import { X509Certificate } from 'node:crypto'
import { TrustedCertificates } from '../alerts/trusted-certificates.ts'
import { CertificateAlerts } from '../alerts/certificate-alerts.ts'
import { sqliteAlertStore } from '../alerts/alert-store.sqlite.ts'
import { emailSink } from '../alerts/email-sink.ts'
import type { CertificateSource, KnownCertificate } from '../alerts/known-certificate.ts'
import { webhookSink } from '../alerts/webhook-sink.ts'
import { currentCertificate } from '../certificates/cluster-certificates.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Config } from '../config.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { Tools } from './cluster-parts.ts'
import type { AllPaths } from './cluster-paths.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import type { ConsoleMetrics } from './console-metrics.ts'
import type { SignIn } from './sign-in.ts'
import type { Storage } from './storage.ts'

export interface AlertSourceParts {
  readonly config: Config
  readonly rooms: ReadonlyMap<string, ClusterRooms>
  readonly paths: AllPaths
  /** What the console hears of each cluster with its own identity. */
  readonly own: ReadonlyMap<string, Pick<ClusterWatch, 'feed'>>
  readonly hub: Pick<LiveHub, 'publish'>
  readonly signIn: Pick<SignIn, 'presented'>
  readonly storage: Pick<Storage, 'database'>
  readonly metrics: Pick<ConsoleMetrics, 'alertSent'>
  readonly tools: Tools
}

export interface Alerts {
  readonly alerts: CertificateAlerts
  start(): void
  stop(): Promise<void>
}

/** Every certificate that this console knows, from wherever it knows it, and who is told of its end. */
export function createAlerts(parts: AlertSourceParts): Alerts {
  const { config, rooms, paths, own, hub, signIn, storage, metrics, tools } = parts
  const trusted = new Map(
    [...rooms].flatMap(([cluster, { parts }]) => {
      const { identity, gateway } = parts.cluster
      const onChange = (): void => {
        void alerts.check()
        hub.publish({ kind: 'certificate-changed', cluster })
      }
      const one = new TrustedCertificates({ cluster, gateway, onChange, ...tools })
      return identity === null ? [] : [[cluster, one] as const]
    }),
  )
  const ends = [...trusted].map(([cluster, one]) =>
    own.get(cluster)?.feed.subscribe((fact) => {
      const changed = fact.kind === 'gap' || (fact.event.type === 'lifecycle' && isOfTrust(fact.event.metadata.action))
      if (changed) one.hurry()
    }),
  )
  const onPaths = new PathCertificates(paths)
  const { webhook, email } = config.alerts
  const alerts = new CertificateAlerts({
    // In the order in which a certificate that is in several places is told: by what one would replace.
    sources: [
      ...[...rooms].flatMap(([cluster, room]) => [ofCluster(cluster, room), ofIdentity(cluster, room)]),
      { name: 'console', read: () => [config.tls].flatMap((pair) => (pair === null ? [] : ofConsole(pair, config))) },
      { name: 'provider', read: () => ofProvider(signIn) },
      ...[...rooms.keys()].map((cluster) => ({ name: `paths ${cluster}`, read: () => onPaths.of(cluster) })),
      ...[...trusted].map(([cluster, one]) => ({ name: `trust ${cluster}`, read: () => one.known })),
    ],
    store: sqliteAlertStore(storage.database),
    sinks: [...(webhook === null ? [] : [webhookSink(webhook)]), ...(email === null ? [] : [emailSink(email)])],
    publicUrl: config.publicUrl,
    onAttempt: (sink, delivered) => metrics.alertSent(sink, delivered),
    ...tools,
  })
  return {
    alerts,
    start: () => {
      for (const one of trusted.values()) one.start()
      alerts.start()
    },
    stop: async () => {
      for (const one of trusted.values()) one.stop()
      onPaths.stop()
      for (const end of ends) end?.()
      await alerts.stop()
    },
  }
}

/** Incus tells of each entry by `certificate-created`, `-updated` and `-deleted` (internal/server/lifecycle/certificate.go). */
function isOfTrust(action: string): boolean {
  return action.startsWith('certificate-')
}

function ofCluster(cluster: string, room: Pick<ClusterRooms, 'certificateFacts'>): CertificateSource {
  return {
    name: `cluster ${cluster}`,
    read: () => {
      const current = currentCertificate(room.certificateFacts())
      return current === null ? null : [known('cluster', cluster, cluster, current.certificate)]
    },
  }
}

function ofIdentity(cluster: string, { parts }: Pick<ClusterRooms, 'parts'>): CertificateSource {
  return {
    name: `identity ${cluster}`,
    read: () => {
      const { identity } = parts.cluster
      return identity === null ? [] : [known('identity', cluster, cluster, new X509Certificate(identity.certificate))]
    },
  }
}

function ofConsole({ certificate }: { readonly certificate: string }, { publicUrl }: Config): KnownCertificate[] {
  return [known('console', null, new URL(publicUrl).hostname, new X509Certificate(certificate))]
}

/** Of what each of its hosts sent the last time, the one that ends first: without it, nobody signs in any more. */
function ofProvider({ presented }: Pick<SignIn, 'presented'>): KnownCertificate[] | null {
  if (presented.size === 0) return null
  return [...presented].flatMap(([host, chain]) => {
    const [first] = chain.toSorted((a, b) => a.validToDate.getTime() - b.validToDate.getTime())
    return first === undefined ? [] : [known('provider', null, host, first)]
  })
}

function known(
  kind: KnownCertificate['kind'],
  cluster: string | null,
  name: string,
  certificate: X509Certificate,
): KnownCertificate {
  const expiresAt = certificate.validToDate.getTime()
  return { kind, cluster, name, fingerprint: fingerprintOf(certificate), expiresAt }
}

/** What was presented last on each way into a cluster. */
class PathCertificates {
  readonly #seen = new Map<string, Map<string, KnownCertificate>>()
  readonly #ends: readonly (() => void)[]

  constructor({ all }: AllPaths) {
    this.#ends = [...all].map(([cluster, { visits }]) => {
      const seen = new Map<string, KnownCertificate>()
      this.#seen.set(cluster, seen)
      return visits.subscribe(({ path: { name }, visit: { certificate } }) => {
        if (certificate === null) return
        const { fingerprint, expiresAt } = certificate
        seen.set(name, { kind: 'access-path', cluster, name, fingerprint, expiresAt })
      })
    })
  }

  of(cluster: string): readonly KnownCertificate[] | null {
    const seen = this.#seen.get(cluster)
    return seen === undefined || seen.size === 0 ? null : [...seen.values()]
  }

  stop(): void {
    for (const end of this.#ends) end()
  }
}
