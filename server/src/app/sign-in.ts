import type { X509Certificate } from 'node:crypto'
import type { Config } from '../config.ts'
import type { OutboundFetch } from '../lib/outbound.ts'
import { outboundFetch } from '../lib/outbound.ts'
import type { Policy } from '../policy/policy.ts'
import { AuthPages } from '../session/auth-pages.ts'
import { IdentityProvider } from '../session/oidc.ts'
import { recordEnds } from '../session/session-history.ts'
import { SessionList } from '../session/session-list.ts'
import { SqliteSessionListStore } from '../session/session-list-store.sqlite.ts'
import { SqliteSessionStore } from '../session/session-store.sqlite.ts'
import { Sessions } from '../session/sessions.ts'
import type { Tools } from './cluster-parts.ts'
import type { ConsoleMetrics } from './console-metrics.ts'
import type { Storage } from './storage.ts'

/** Who is asking: sessions, and the provider they come from. */
export interface SignIn {
  readonly provider: IdentityProvider
  readonly sessions: Sessions
  readonly pages: AuthPages
  readonly list: SessionList
  /** The certificates that each host of the provider showed last, its own first. */
  readonly presented: ReadonlyMap<string, readonly X509Certificate[]>
  stop(): Promise<void>
}

export function createSignIn(
  config: Config,
  storage: Storage,
  policy: Policy,
  metrics: Pick<ConsoleMetrics, 'provider'>,
  tools: Tools,
): SignIn {
  const { keys, history } = storage
  const { ca, ...oidc } = config.oidc
  const presented = new Map<string, readonly X509Certificate[]>()
  const outbound = outboundFetch({
    ca: ca ?? undefined,
    onCertificates: (host, chain) => presented.set(host, chain),
  })
  const provider = new IdentityProvider({
    settings: {
      ...oidc,
      publicUrl: config.publicUrl,
      bearer: config.clusters.some(({ mode }) => mode === 'bearer'),
    },
    fetch: timed(outbound.fetch, metrics, tools.clock),
    ...tools,
  })
  const store = new SqliteSessionStore(storage.database)
  const rolesOf = (person: { readonly groups: readonly string[] }) => policy.rolesOf(person)
  const { sessionIdleMs: idleMs, sessionMs: absoluteMs, sessionsPerPerson: mostPerPerson } = config.limits
  const sessions = new Sessions({ store, provider, keys, rolesOf, ...tools, idleMs, absoluteMs, mostPerPerson })
  const { publicUrl } = config
  const pages = new AuthPages({ provider, sessions, store, history, keys, rolesOf, publicUrl, ...tools })
  const listStore = new SqliteSessionListStore(storage.database)
  const list = new SessionList({ store: listStore, sessions, keys, idleMs, ...tools })
  pages.subscribe(({ session, clientAddress, userAgent }) => list.note(session, clientAddress, userAgent))
  const ends = [recordEnds(sessions, history, tools.logger), sessions.startPruning()]
  provider.start()
  return {
    provider,
    sessions,
    pages,
    list,
    presented,
    stop: async () => {
      for (const end of ends) end()
      provider.stop()
      await outbound.close()
    },
  }
}

/** The same, with each request to the provider in the metrics. */
function timed(fetch: OutboundFetch, metrics: Pick<ConsoleMetrics, 'provider'>, clock: Tools['clock']): OutboundFetch {
  return async (url, options) => {
    const startedAt = clock.monotonic()
    try {
      const reply = await fetch(url, options)
      metrics.provider(reply.status, clock.monotonic() - startedAt)
      return reply
    } catch (error) {
      metrics.provider(null, clock.monotonic() - startedAt)
      throw error
    }
  }
}
