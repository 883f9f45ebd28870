/**
 * The route table as it is shipped, with nothing behind it: for tests that hold every row to a rule. A feature's routes
 * are made from parts that are only used when somebody asks, so none are needed to look at the rows.
 */
import { accessPathRoutes } from '../src/access-paths/routes.ts'
import { acmeRoutes } from '../src/acme/routes.ts'
import { alertRoutes } from '../src/alerts/routes.ts'
import { exportRoutes } from '../src/audit/export-routes.ts'
import { auditRoutes } from '../src/audit/routes.ts'
import { certificateRoutes } from '../src/certificates/routes.ts'
import { clusterRoutes } from '../src/clusters/routes.ts'
import { eventRoutes } from '../src/events/routes.ts'
import { frontRoutes } from '../src/fronts/routes.ts'
import type { Route } from '../src/http/route.ts'
import { incidentRoutes } from '../src/incidents/routes.ts'
import { ingestRoutes } from '../src/ingest/routes.ts'
import { instanceRoutes } from '../src/instances/routes.ts'
import { memberRoutes } from '../src/members/routes.ts'
import { operationRoutes } from '../src/operations/routes.ts'
import { sessionListRoutes } from '../src/session/session-list-routes.ts'
import { sessionRoutes } from '../src/session/routes.ts'
import { trustRoutes } from '../src/trust/routes.ts'

export function allRoutes(): readonly Route[] {
  return [
    ...sessionRoutes(nothing),
    ...sessionListRoutes(nothing),
    ...clusterRoutes(nothing),
    ...memberRoutes(nothing),
    ...certificateRoutes(nothing),
    ...trustRoutes(nothing, nothing),
    ...acmeRoutes(nothing),
    ...operationRoutes(nothing),
    ...instanceRoutes(nothing),
    ...eventRoutes(nothing),
    ...incidentRoutes(nothing),
    ...frontRoutes(nothing),
    ...accessPathRoutes(nothing),
    ...alertRoutes(nothing),
    ...auditRoutes(nothing),
    ...ingestRoutes(nothing),
    ...exportRoutes(nothing),
  ]
}

/** The same rows, each answering with what `reply` gives instead of doing anything. */
export function inertRoutes(reply: (row: Route) => unknown = () => ({})): readonly Route[] {
  return allRoutes().map((row): Route => ({ ...row, handler: () => Promise.resolve(reply(row)) }))
}

/** How a row is called in tables: `GET /clusters/:cluster/members`. */
export function nameOf({ endpoint }: Route): string {
  return `${endpoint.method} ${endpoint.path}`
}

/** An address of the row, with a name for every parameter. */
export function addressOf({ endpoint }: Route, cluster = 'prod-eu'): string {
  return `/api${endpoint.path}`.replaceAll(/:([A-Za-z]+)/g, (_, name: string) =>
    name === 'cluster' ? cluster : 'server1',
  )
}

/** A body that a row takes. A row that changes something has to be declared here, or its tests fail. */
export function sampleBody(row: Route): string | undefined {
  if (row.endpoint.body === undefined) return undefined
  const sample = sampleBodies[nameOf(row)]
  if (sample === undefined) throw new Error(`${nameOf(row)} needs a sample body in testing/all-routes.ts`)
  return sample
}

const acmeSettings = JSON.stringify({
  domains: ['incus.example.net'],
  email: 'a@example.net',
  directory: 'https://acme.example.net/dir',
  agreed: true,
  challenge: 'HTTP-01',
  httpPort: '',
  provider: '',
  environment: null,
  resolvers: '',
  account: null,
})

const sampleBodies: Readonly<Record<string, string>> = {
  'POST /clusters/:cluster/members/:member/state': '{"action":"evacuate"}',
  'POST /sessions/mine/end': '{"id":"one"}',
  'POST /sessions/end': '{"id":"one"}',
  'POST /downloads': '{"kind":"audit","cluster":"prod-eu","filter":"","reads":false,"format":"csv"}',
  'POST /clusters/:cluster/operations/:operation/cancel': '{"project":null}',
  'POST /clusters/:cluster/certificate/check': '{"certificate":"PEM"}',
  'POST /clusters/:cluster/certificate/replacements': '{"what":"again"}',
  'POST /clusters/:cluster/certificate/keys': '{"subject":"incus.example","names":["incus.example"]}',
  'POST /clusters/:cluster/certificate/keys/:key/discard': '{}',
  'POST /clusters/:cluster/certificate/pins': '{"change":"drop-next"}',
  'POST /clusters/:cluster/trust':
    '{"name":"laptop","type":"client","restricted":false,"projects":[],"certificate":"PEM"}',
  'PUT /clusters/:cluster/trust/:fingerprint': '{"etag":"e","name":"laptop","restricted":false,"projects":[]}',
  'POST /clusters/:cluster/trust/:fingerprint/remove': '{}',
  'POST /clusters/:cluster/trust-identity/rotate': '{}',
  'POST /clusters/:cluster/trust-settings': '{"key":"core.https_address","from":null,"to":""}',
  'POST /clusters/:cluster/trust-tokens':
    '{"name":"laptop","restricted":false,"projects":[],"withdrawAfterMinutes":null}',
  'POST /clusters/:cluster/trust-tokens/:operation/withdraw': '{}',
  'POST /clusters/:cluster/acme/check': `{"settings":${acmeSettings}}`,
  'PUT /clusters/:cluster/acme': `{"settings":${acmeSettings},"shown":{}}`,
  'POST /clusters/:cluster/acme/renewal': '{}',
  'POST /session/activity': '{}',
  'POST /alerts/test': '{"sink":"email"}',
}

// The parts are never touched while the rows are only looked at.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const nothing = {} as never
